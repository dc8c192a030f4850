"""What it costs that an id is an id: flushes by this schema's functions and by the version's before, in turn.

`python -m tests.benchmarks.event_ids --rounds 30`: flushes of 3,200 events, by one connection, into two databases of a
server: events whose ids ingestion made, as of POST /event without an id, and events with ids of clients, as of SDKs.
"""

import argparse
import time
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import msgspec
import psycopg

from db.events.event import ReceivedEvent
from db.migrations import migrate
from db.store.events import Message, jsonb, store_messages
from tests.benchmarks.store import one
from tests.benchmarks.table import Rounds
from tests.life.databases import Databases
from tests.oracles.before import migrate_as_before

FLUSH = 3_200
#: Flushes before those that count: connections plan, and tables have their first pages.
WARM_UP = 10


def main() -> None:
    """Both kinds of ids, in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds, table = parser.parse_args().rounds, Rounds()
    with Databases() as databases, ExitStack() as stack:
        ours, before = (stack.enter_context(databases.fresh()) for _ in range(2))
        migrate(ours)
        migrate_as_before(before, last="0023_store_events")
        new, old = (
            stack.enter_context(psycopg.connect(url, autocommit=True, prepare_threshold=None)) for url in (ours, before)
        )
        for number in range(rounds + WARM_UP):
            if number == WARM_UP:  # as autovacuum does within a minute: until then plans are those of empty tables
                for conn in (new, old):
                    conn.execute("vacuum analyze")
            for kind in ("made by ingestion", "made by clients"):
                events = [_event(number * FLUSH + place, kind) for place in range(FLUSH)]
                rates = {"this version": _ours(new, events), "the version before": _landed(old, events)}
                if number >= WARM_UP:
                    for side, rate in rates.items():
                        table.add(f"events stored a second, ids {kind}", side, rate)
    table.print()


def _event(number: int, kind: str) -> ReceivedEvent:
    event = one(number)
    return (
        event if kind == "made by ingestion" else msgspec.structs.replace(event, event_id=str(uuid4()), id_made=False)
    )


def _ours(conn: psycopg.Connection[Any], events: list[ReceivedEvent]) -> float:
    batch = msgspec.json.encode(events)
    began = time.perf_counter()
    store_messages(conn, [Message(str(uuid4()), batch)])
    return FLUSH / (time.perf_counter() - began)


def _landed(conn: psycopg.Connection[Any], events: list[ReceivedEvent]) -> float:
    for moment in {event.timestamp.date(): event.timestamp for event in events}.values():
        conn.execute("select make_partition(%s)", [moment])
    batch = jsonb(msgspec.json.encode(events))
    began = time.perf_counter()
    conn.execute("select * from store_messages(%s::uuid[], %s)", [[str(uuid4())], batch])
    return FLUSH / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
