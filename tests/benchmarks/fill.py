"""Filling a database for the benchmark of the reports, faster than through the queue: events in bulk, then rollups."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from db import rollups
from db.store import advance_sessions
from tests.conftest import Connection

FILL = Path(__file__).with_suffix(".sql").read_bytes()
LAST_DAY = date(2026, 6, 30)


def fill(conn: Connection, *, events: int, days: int, users: int = 1_000_000, paths: int = 5_000) -> date:
    """Store about so many events of the days up to 30 June 2026; the first day."""
    first = LAST_DAY - timedelta(days=days - 1)
    conn.execute("set synchronous_commit = off; set work_mem = '256MB'; set maintenance_work_mem = '512MB'")
    with without_indexes(conn):
        fill_days(conn, first, LAST_DAY, events=events, users=users, paths=paths)
    return first


def fill_days(conn: Connection, first: date, last: date, *, events: int, users: int, paths: int = 5_000) -> None:
    """Store about so many events of some days, and make the rollups of them."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    for day in days:
        conn.execute("select make_partition(%s::timestamp at time zone 'UTC')", [day])
        # Days before the last thirty have numbers of their own.
        seed = (day - LAST_DAY).days * 10 + 290
        values = {"day": day, "events": events // len(days), "users": users, "paths": paths, "seed": seed}
        conn.execute(FILL, values)
    conn.execute("insert into sites (site_id) select 'shop-' || generate_series(0, 4) on conflict do nothing")
    conn.execute("analyze events")
    for site in rollups.site_ids(conn):
        conn.execute("analyze users")
        rollups.rebuild_days(conn, site, first_day=first, last_day=last)
        while advance_sessions(conn, site, target=datetime.now(UTC) - timedelta(hours=1), most=50_000):
            pass
    conn.execute("vacuum analyze")


@contextmanager
def without_indexes(conn: Connection) -> Iterator[None]:
    """Make the indexes of events, but for its key, only once the events are there."""
    query = "select indexname, indexdef from pg_indexes where tablename = 'events' and indexname <> 'events_pkey'"
    indexes = conn.execute(query).fetchall()
    for name, _ in indexes:
        conn.execute(f"drop index {name}".encode())
    yield
    for _, definition in indexes:
        conn.execute(definition.replace(" ON ONLY ", " ON ").encode())
