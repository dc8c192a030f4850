"""How many events a second ingestion accepts, against a bare ASGI app and the baseline. No worker runs meanwhile."""

from tests.benchmarks.place import Place, wrk
from tests.benchmarks.table import Rounds

SINGLE, BATCHES = "POST /event, 64 connections", "POST /events, batches of 500, 64 connections"
OF_BROWSERS = "POST /event of 500 kinds of browsers, 64 connections"
EVENTS, BROWSERS = 500, 500


def measure(place: Place, rounds: Rounds, *, seconds: int) -> None:
    """One round of every side."""
    place.empty()
    with place.app("apps.ingestion:app") as address:
        rounds.add(SINGLE, "ours", wrk(f"{address}/event", seconds=seconds))
        place.empty()
        rounds.add(OF_BROWSERS, "ours", wrk(f"{address}/event", seconds=seconds, browsers=BROWSERS))
        place.empty()
        rounds.add(BATCHES, "ours", wrk(f"{address}/events", seconds=seconds, events=EVENTS))
    place.empty()
    with place.app("tests.benchmarks.bare:app") as address:
        rounds.add(SINGLE, "bare ASGI app", wrk(f"{address}/event", seconds=seconds))
    if place.baseline:
        with place.baseline_ingest() as address:
            rate = wrk(f"{address}/event", seconds=seconds)
        rounds.add(SINGLE, "baseline", rate)
        rounds.add(BATCHES, "baseline, one an event", rate)
        place.empty()
