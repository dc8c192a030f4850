"""Filling a database for the benchmarks, faster than through the queue: events in bulk, week by week, then rollups."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

import psycopg

from db.rollups import recount
from db.rollups.advance import advance
from tests.conftest import Connection

FILL = Path(__file__).with_suffix(".sql").read_text()
#: Each of its orders has an id of its own, so that its one event is the one that counts.
ORDERS = (
    "insert into orders (site_id, order_key, event_time, event_id)"
    " select site_id, index_key(properties ->> 'order_id'), event_time, event_id from {} where is_sale(event_type)"
)
LAST_DAY = date(2026, 6, 30)
#: So many weeks are filled at once.
WRITERS = 2


def fill(
    conn: Connection, *, events: int, days: int, last: date = LAST_DAY, users: int = 1_000_000, paths: int = 5_000
) -> date:
    """Store about so many events of the days up to `last`, with all rollups, and print a line a week; the first day.

    The weeks that the days are in must not have events yet: their partitions are made anew.
    """
    first = last - timedelta(days=days - 1)
    conn.execute(
        "insert into sites (site_id, sessions_until, path_spans_until, user_spans_until, user_months_until) "
        "select 'shop-' || generate_series(0, 4), now() - interval '3 hours', sixth_of(%s), %s, %s "
        "on conflict do nothing",
        [last + timedelta(days=1)] * 3,
    )
    values = {"events": events // days, "users": users, "paths": paths}
    start = monotonic()
    with ThreadPoolExecutor(WRITERS) as pool:
        for sunday in pool.map(partial(fill_week, conn, values), weeks(first, last)):
            print(f"filled up to {sunday}, {monotonic() - start:.0f} s", flush=True)
    conn.execute("update sites set top_paths_until = least(top_paths_until, %s)", [first])
    for site in recount.site_ids(conn):
        recount.rebuild_totals(conn, site)
        while advance(conn, "top_paths", site, target=datetime.combine(last + timedelta(days=1), time.min, UTC)):
            pass
    conn.execute("vacuum analyze")
    conn.execute("checkpoint")
    return first


def fill_week(conn: Connection, values: dict[str, int], days: list[date]) -> date:
    """Fill some days of one week, in a connection like this one; the last of them."""
    with psycopg.connect(conn.info.dsn, password=conn.info.password, autocommit=True) as own:
        own.execute("set timezone = 'UTC'; set synchronous_commit = off")
        own.execute("set work_mem = '128MB'; set maintenance_work_mem = '256MB'")
        name = fill_partition(own, values, days)
        own.execute(f"vacuum (freeze, analyze) {name}".encode())
        own.execute(ORDERS.format(name).encode())
        for site in recount.site_ids(own):
            own.execute("analyze users")
            recount.rebuild_days(own, site, first_day=days[0], last_day=days[-1])
            recount.rebuild_deferred(own, site, first_day=days[0], last_day=days[-1])
    return days[-1]


def fill_partition(conn: Connection, values: dict[str, int], days: list[date]) -> str:
    """Make a week's partition with its events, whose indexes are made only once they are there; its name."""
    conn.execute("select make_partition(%s)", [days[0]])
    query = "select name, starts, ends from event_partitions where starts <= %s and ends > %s"
    name, starts, ends = conn.execute(query, [days[0], days[0]]).fetchone() or ("", None, None)
    if conn.execute(f"select from {name} limit 1".encode()).fetchone():
        raise ValueError(f"{name} has events already")
    conn.execute(f"drop table {name}; create table {name} (like events including defaults)".encode())
    for day in days:
        # Days before the last thirty of June have numbers of their own.
        seed = (day - LAST_DAY).days * 10 + 290
        conn.execute(FILL.replace("into {table}", f"into {name}").encode(), values | {"day": day, "seed": seed})
    conn.execute(f"alter table events attach partition {name} for values from ('{starts}') to ('{ends}')".encode())
    return str(name)


def weeks(first: date, last: date) -> Iterator[list[date]]:
    """The days from the first to the last, by weeks that begin on Mondays."""
    while first <= last:
        sunday = min(first + timedelta(days=6 - first.weekday()), last)
        yield [first + timedelta(days=number) for number in range((sunday - first).days + 1)]
        first = sunday + timedelta(days=1)
