"""How many queued events a second a worker stores, against the baseline's worker and plain COPY into the same table."""

import sys
import time
from datetime import UTC, datetime, timedelta

import msgspec

from db.events.event import ReceivedEvent
from tests.benchmarks.place import Place
from tests.benchmarks.table import Rounds
from tests.builders.factories import received
from tests.conftest import Connection
from tests.servers.servers import until

STORED = "events stored a second"
#: Events: for ours and COPY, in messages of so many; and for the baseline, which takes one at a time.
EVENTS, PER_MESSAGE, BASELINE_EVENTS = 200_000, 100, 10_000

COLUMNS = "site_id, event_id, event_type, path, user_id, event_time, received_at"


def measure(place: Place, rounds: Rounds) -> None:
    """One round of every side."""
    events = [one(number) for number in range(EVENTS)]
    place.empty()
    rounds.add(STORED, "ours, with all rollups", ours(place, events, processes=1))
    place.empty()
    rounds.add(STORED, "ours, two worker processes", ours(place, events, processes=2))
    place.empty()
    rounds.add(STORED, "plain COPY, no rollups", copy(place, events))
    place.empty()
    if place.baseline:
        rounds.add(STORED, "baseline", baseline(place, events[:BASELINE_EVENTS]))
        place.empty()


def one(number: int) -> ReceivedEvent:
    """Event number `number`: five sites, 50,000 users, 2,000 paths, the last two hours."""
    time_of_it = datetime.now(UTC) - timedelta(milliseconds=number * 36)
    return received(
        f"shop-{number % 5}",
        event_type=("page_view", "page_view", "click")[number % 3],
        path=f"/products/{number * 31 % 2000}",
        user_id=f"user-{number * 7919 % 50_000}",
        timestamp=time_of_it.isoformat(),
    )


def ours(place: Place, events: list[ReceivedEvent], *, processes: int) -> float:
    """Worker processes with 64 threads each drain the queue; the partitions are there already."""
    import actors  # which reads its settings when it is imported

    pipe = place.redis.pipeline(transaction=False)
    for start in range(0, len(events), PER_MESSAGE):
        message = actors.events.store_events.message(msgspec.json.encode(events[start : start + PER_MESSAGE]))
        redis_id = f"message {start}"
        data = message.copy(options={"redis_message_id": redis_id}).encode()
        pipe.hset("tjra:events.msgs", redis_id, data)
        pipe.rpush("tjra:events", redis_id)
    pipe.execute()
    command = [sys.executable, "-m", "dramatiq", "actors", "--processes", str(processes), "--threads", "64"]
    with place.running(*command), place.connect() as conn:
        return rate(conn, "select coalesce(sum(events), 0) from event_hours", len(events))


def copy(place: Place, events: list[ReceivedEvent]) -> float:
    """COPY of the same rows into the same table, in one transaction each 5,000."""
    with place.connect() as conn:
        start = time.perf_counter()
        for first in range(0, len(events), 5_000):
            with conn.cursor().copy(f"copy events ({COLUMNS}) from stdin") as rows:
                for event in events[first : first + 5_000]:
                    rows.write_row(
                        (
                            event.site_id,
                            event.event_id,
                            event.event_type,
                            event.path,
                            event.user_id,
                            event.timestamp,
                            event.received_at,
                        )
                    )
        return len(events) / (time.perf_counter() - start)


def baseline(place: Place, events: list[ReceivedEvent]) -> float:
    """The baseline's worker, in a schema of its own."""
    assert place.baseline
    fields = ("site_id", "event_type", "path", "user_id", "timestamp")
    place.redis.rpush(
        "baseline:events",
        *(msgspec.json.encode({name: getattr(event, name) for name in fields}) for event in events),
    )
    with place.connect() as conn:
        conn.execute("drop schema if exists baseline cascade; create schema baseline")
        conn.execute("set search_path = baseline")
        conn.execute((place.baseline / "schema.sql").read_bytes())
    environment = "PGOPTIONS=-c search_path=baseline"
    with (
        place.running("env", environment, "node", "baseline.js", "worker", cwd=place.baseline),
        place.connect() as conn,
    ):
        return rate(conn, "select last_value from baseline.events_id_seq where is_called", len(events))


def rate(conn: Connection, count_query: str, events: int) -> float:
    """Events a second from the first that is stored to the last."""

    def count() -> int:
        (stored,) = conn.execute(count_query.encode()).fetchone() or (0,)
        return int(stored)

    until(count, timeout=60)
    already, start = count(), time.perf_counter()
    until(lambda: count() == events, timeout=600)
    return (events - already) / (time.perf_counter() - start)
