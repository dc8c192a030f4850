"""Filling a database for the benchmark of the reports, faster than through the queue: events in bulk, then rollups."""

from datetime import date, timedelta
from pathlib import Path

from db import rollups
from tests.conftest import Connection

FILL = Path(__file__).with_suffix(".sql").read_bytes()
LAST_DAY = date(2026, 6, 30)


def fill(conn: Connection, *, events: int, days: int, users: int = 1_000_000, paths: int = 5_000) -> date:
    """Store about so many events of the days up to 30 June 2026; the first day."""
    first = LAST_DAY - timedelta(days=days - 1)
    for number in range(days):
        day = first + timedelta(days=number)
        conn.execute("select make_partition(%s::timestamp at time zone 'UTC')", [day])
        values = {"day": day, "events": events // days, "users": users, "paths": paths, "seed": number * 10}
        conn.execute(FILL, values)
    conn.execute("insert into sites (site_id) select 'shop-' || generate_series(0, 4) on conflict do nothing")
    conn.execute("analyze events")
    for site in rollups.site_ids(conn):
        rollups.rebuild_days(conn, site, first_day=first, last_day=LAST_DAY)
    conn.execute("vacuum analyze")
    return first
