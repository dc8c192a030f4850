"""Partitions of events: weeks, years for the far past, made when they are needed, and never too many."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest

from db.migrations import migrate
from db.store.events import make_partitions_ahead, store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.db.schema.test_migrations import EmptyDatabase

WEEK = timedelta(days=7)


@pytest.fixture
def conn(empty_database: EmptyDatabase) -> Iterator[Connection]:
    url = empty_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn


def partitions(conn: Connection) -> list[tuple[datetime, datetime]]:
    rows = conn.execute("select starts, ends from event_partitions order by starts").fetchall()
    for (_, ends), (starts, _) in pairwise(rows):
        assert ends <= starts
    return [(starts, ends) for starts, ends in rows]


def make(conn: Connection, moment: datetime) -> None:
    conn.execute("select make_partition(%s)", [moment])


def test_they_are_made_ahead_for_three_weeks(conn: Connection) -> None:
    make_partitions_ahead(conn)
    make_partitions_ahead(conn)
    found = partitions(conn)
    assert len(found) == 3
    assert all(ends - starts == WEEK and starts.weekday() == 0 for starts, ends in found)
    assert found[0][0] <= datetime.now(UTC) < found[0][1]


def test_an_old_event_makes_its_year(conn: Connection, shop: str) -> None:
    for year in (2003, 2004):
        for month in range(1, 13):
            one = received(shop, timestamp=f"{year}-{month:02}-15T00:00:00Z")
            assert store_events(conn, batch(one)).stored == 1
    assert partitions(conn) == [
        (datetime(2003, 1, 1, tzinfo=UTC), datetime(2004, 1, 1, tzinfo=UTC)),
        (datetime(2004, 1, 1, tzinfo=UTC), datetime(2005, 1, 1, tzinfo=UTC)),
    ]


def test_events_of_many_times_in_a_batch_make_all_of_theirs(conn: Connection, shop: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    times = [now - days * timedelta(days=1) for days in range(0, 3000, 3)]
    assert store_events(conn, batch(*(received(shop, timestamp=time.isoformat()) for time in times))).stored == 1000
    assert len(partitions(conn)) < 120


def test_a_gap_is_filled_exactly_when_its_weeks_have_become_a_year(conn: Connection) -> None:
    week = datetime(2010, 3, 1, tzinfo=UTC)
    conn.execute(
        "create table events_a partition of events for values from ('2010-03-01 00:00Z') to ('2010-03-08 00:00Z')"
    )
    conn.execute(
        "create table events_b partition of events for values from ('2010-03-15 00:00Z') to ('2010-03-22 00:00Z')"
    )
    for moment in (week - WEEK, week + WEEK, week + 30 * WEEK):
        make(conn, moment)
    assert partitions(conn) == [
        (datetime(2010, 1, 1, tzinfo=UTC), week),
        (week, week + WEEK),
        (week + WEEK, week + 2 * WEEK),
        (week + 2 * WEEK, week + 3 * WEEK),
        (week + 3 * WEEK, datetime(2011, 1, 1, tzinfo=UTC)),
    ]


def test_a_time_out_of_all_bounds_makes_none(conn: Connection) -> None:
    for moment in (datetime(1969, 12, 31, tzinfo=UTC), datetime.now(UTC) + timedelta(days=61)):
        with pytest.raises(psycopg.errors.CheckViolation, match="no partition is made for"):
            make(conn, moment)
    assert partitions(conn) == []


def test_odd_dates_cannot_make_a_thousand(conn: Connection) -> None:
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    while moment < datetime.now(UTC) + timedelta(days=60):
        make(conn, moment)
        moment += timedelta(days=5)
    assert len(partitions(conn)) < 150


def test_many_may_make_the_same_at_once(conn: Connection, database_url: str) -> None:
    url = conn.info.dsn

    def make_some(_: int) -> None:
        with psycopg.connect(url, autocommit=True) as own:
            for week in range(10):
                make(own, datetime(2026, 1, 7, tzinfo=UTC) + week * WEEK)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make_some, range(4)))
    assert len(partitions(conn)) == 10


def test_the_callers_timezone_does_not_matter(conn: Connection) -> None:
    conn.execute("set timezone = 'Asia/Kolkata'")
    make(conn, datetime(2026, 1, 11, 23, 59, tzinfo=UTC))
    make(conn, datetime(2026, 1, 12, tzinfo=UTC))
    assert partitions(conn) == [
        (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC)),
        (datetime(2026, 1, 12, tzinfo=UTC), datetime(2026, 1, 19, tzinfo=UTC)),
    ]
