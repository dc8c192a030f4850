"""`python -m tests.benchmarks.system.growth [--database URL] [--events N] [--backlog N]`: what the rate becomes.

What one worker process stores a second, with all rollups: in a database full of events against an empty one, while it
drains a long queue, and of 10,000 sites against five.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.table import Table

from db.migrations import migrate
from tests.benchmarks.drain import Part, drain, fill_queue, rate, stream
from tests.benchmarks.place import Place
from tests.benchmarks.reports.fill import fill
from tests.benchmarks.table import Rounds

#: Events in each message of a turn.
PER_MESSAGE = 100
SITES = 10_000
#: The database beside the full one.
EMPTY = "benchmark_of_growth"


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.system.growth", description=__doc__)
    parser.add_argument("--database", help="address of a PostgreSQL that is filled already")
    parser.add_argument(
        "--events", type=int, default=50_000_000, help="of 12 months to fill one with (default 50 million)"
    )
    parser.add_argument("--backlog", type=int, default=1_000_000, help="messages of one event each (default a million)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side has its turn (default 3)")
    parser.add_argument(
        "--messages", type=int, default=5_000, help=f"of {PER_MESSAGE} events in a turn (default 5,000)"
    )
    options = parser.parse_args()
    with Place(None, database=options.database) as place:
        with place.connect() as conn:
            if not options.database:
                fill(conn, events=options.events, days=365, last=(datetime.now(UTC) - timedelta(days=1)).date())
            ((events,),) = conn.execute("select sum(events) from event_hours").fetchall()
        rounds = Rounds()
        events_before(place, rounds, f"{events:,} events of 12 months before", options)
        many_sites(place, rounds, options)
        rounds.print()
        backlog(place, options.backlog)


def events_before(place: Place, rounds: Rounds, full: str, options: argparse.Namespace) -> None:
    """The same stream into the full database and into one that is empty at each turn's start.

    A turn begins with a checkpoint, as a database is dropped before it, and should outlast what that costs.
    """
    events = stream()
    for turn in range(options.rounds + 1):
        print(f"events before: turn {turn} of {options.rounds}", flush=True)
        with empty_database(place) as empty:
            for side, url in ((full, place.database_url), ("an empty database", empty)):
                fill_queue(place, events, messages=options.messages, per_message=PER_MESSAGE)
                stored = rate(list(drain(place, url, per_message=PER_MESSAGE)))
                if turn:  # the one before the first warms the caches
                    rounds.add("events stored a second, by events before", side, stored)


def many_sites(place: Place, rounds: Rounds, options: argparse.Namespace) -> None:
    """Streams of many and of few sites, each into a database that is empty at first."""
    sides = {f"{SITES:,} sites": stream(sites=SITES), "five sites": stream()}
    for turn in range(options.rounds):
        print(f"sites: turn {turn + 1} of {options.rounds}", flush=True)
        for side, events in sides.items():
            with empty_database(place) as empty:
                fill_queue(place, events, messages=options.messages, per_message=PER_MESSAGE)
                stored = rate(list(drain(place, empty, per_message=PER_MESSAGE)))
            rounds.add("events stored a second, by sites in one stream", side, stored)


def backlog(place: Place, messages: int) -> None:
    """A long queue between two short ones, of messages of one event, and the memory of the worker."""
    table = Table("", "events/s", "worker, MiB", title=f"a queue of {messages:,} messages of one event")
    short_queue(place, table, "short one before", messages // 20)
    with queued(place, messages) as database:
        done: list[Part] = []
        for number, part in enumerate(drain(place, database, per_message=1, parts=10), 1):
            done.append(part)
            print(f"{number} of 10 parts drained", flush=True)
            table.add_row(f"part {number}", *cells([part]))
    table.add_row("all of it", *cells(done))
    short_queue(place, table, "short one after", messages // 20)
    Console().print(table)


def short_queue(place: Place, table: Table, name: str, messages: int) -> None:
    """Drain one and add a row."""
    with queued(place, messages) as database:
        table.add_row(f"{name}, {messages:,}", *cells(list(drain(place, database, per_message=1))))


def cells(parts: list[Part]) -> tuple[str, str]:
    return f"{rate(parts):,.0f}", f"{parts[-1].resident / 2**20:.0f}"


@contextmanager
def queued(place: Place, messages: int) -> Iterator[str]:
    """Messages of one event are in the queue; the address of an empty database for them."""
    with empty_database(place) as database:
        fill_queue(place, stream(), messages=messages, per_message=1)
        used = int(place.redis.info("memory")["used_memory"])
        print(f"{messages:,} messages are queued, {used / 2**20:,.0f} MiB in Redis", flush=True)
        yield database


@contextmanager
def empty_database(place: Place) -> Iterator[str]:
    """A migrated database without events beside the place's own; its address."""
    url = make_conninfo(place.database_url, dbname=EMPTY)
    with place.connect() as conn:
        conn.execute(f"drop database if exists {EMPTY} with (force)".encode())
        conn.execute(f"create database {EMPTY}".encode())
        migrate(url)
        try:
            yield url
        finally:
            conn.execute(f"drop database {EMPTY} with (force)".encode())


if __name__ == "__main__":
    main()
