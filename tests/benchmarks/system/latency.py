"""How long after its 202 an event is in a report, on an idle system."""

import sys
import time
from statistics import median
from uuid import uuid4

import httpx

from tests.benchmarks.place import APP_PORT, WORKER, Place
from tests.builders.factories import event
from tests.servers.servers import eventually

EVENTS = 50


def measure(place: Place) -> list[float]:
    """Milliseconds from the 202 to the first report that counts the event, one event after the other."""
    place.empty()
    reporting = f"http://127.0.0.1:{APP_PORT + 1}"
    command = [sys.executable, "-m", "uvicorn", "apps.reporting:app", "--port", str(APP_PORT + 1), "--no-access-log"]
    with place.app("apps.ingestion:app") as ingestion, place.running(*command), place.running(*WORKER):
        eventually(lambda: httpx.get(f"{reporting}/ready").raise_for_status())
        with httpx.Client() as client:
            seen(client, ingestion, reporting)
            return sorted(seen(client, ingestion, reporting) for _ in range(EVENTS))


def seen(client: httpx.Client, ingestion: str, reporting: str) -> float:
    time.sleep(0.2)
    site = uuid4().hex
    client.post(f"{ingestion}/event", json=event(site)).raise_for_status()
    start = time.perf_counter()
    while client.get(f"{reporting}/stats", params={"site_id": site}).json()["total_views"] == 0:
        pass
    return (time.perf_counter() - start) * 1000


def describe(latencies: list[float]) -> str:
    """One line."""
    return (
        f"idle system, from 202 to in the report: median {median(latencies):.0f} ms, "
        f"highest of {len(latencies)} {latencies[-1]:.0f} ms"
    )
