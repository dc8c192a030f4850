"""How long after its 202 an event is stored, while the system takes a part of the events that it can store."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from statistics import median
from threading import Event, Thread
from uuid import uuid4

import httpx
import msgspec

from tests.benchmarks.place import WORKER, Place
from tests.benchmarks.store import EVENTS, one
from tests.builders.factories import event

BATCH = 250
SECONDS = 15
SHARES = (0.1, 0.5, 0.9)


def measure(place: Place, sustained: float) -> Iterator[str]:
    """A line for each share of the events a second that can be stored."""
    place.empty()
    with place.app("apps.ingestion:app") as ingestion, place.running(*WORKER):
        for share in SHARES:
            yield at(place, ingestion, share, sustained * share)


def at(place: Place, ingestion: str, share: float, rate: float) -> str:
    """One share: single events among batches, each looked for until it is there."""
    times = []
    with under_load(ingestion, rate) as batches, httpx.Client() as client, place.connect() as conn:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            site = uuid4().hex
            client.post(f"{ingestion}/event", json=event(site)).raise_for_status()
            start = time.perf_counter()
            while not conn.execute("select 1 from sites where site_id = %s", [site]).fetchone():
                time.sleep(0.002)
            times.append((time.perf_counter() - start) * 1000)
            time.sleep(0.02)
    taken = len(batches) * BATCH / SECONDS
    p99 = sorted(times)[ceil(0.99 * len(times)) - 1]
    return (
        f"{share:.0%} of the sustained rate ({taken:,.0f} events/s taken): from 202 to stored, "
        f"median {median(times):.0f} ms, p99 {p99:.0f} ms, highest of {len(times)} {max(times):.0f} ms"
    )


@contextmanager
def under_load(ingestion: str, rate: float) -> Iterator[list[float]]:
    """A client sends batches at this many events a second; the moments at which they were taken."""
    taken: list[float] = []
    enough = Event()
    # Made ahead: the processes that are measured need both cores.
    bodies = [body(first) for first in range(0, ceil(rate * SECONDS), BATCH)]

    def send() -> None:
        due = time.monotonic()
        with httpx.Client() as client:
            for content in bodies:
                client.post(f"{ingestion}/events", content=content).raise_for_status()
                taken.append(time.monotonic())
                due += BATCH / rate
                if enough.wait(max(0, due - time.monotonic())):
                    return

    thread = Thread(target=send)
    thread.start()
    try:
        yield taken
    finally:
        enough.set()
        thread.join()


def body(first: int) -> bytes:
    """A batch of new events, as a client sends it."""
    return msgspec.json.encode([fields(first + number) for number in range(BATCH)])


def fields(number: int) -> dict[str, str | None]:
    """What a client sends of an event of the benchmark of the store; none of them is late."""
    stored = one(number % EVENTS)
    return {
        "event_id": str(uuid4()),
        "site_id": stored.site_id,
        "event_type": stored.event_type,
        "path": stored.path,
        "user_id": stored.user_id,
        "timestamp": stored.timestamp.isoformat(),
    }
