"""Reports over every change of clocks: from rollups as from events as counted in plain Python."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, get_args
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg

from db.events.event import ReceivedEvent
from db.migrations import migrate
from db.reports.shared.filters import read_filters
from db.reports.shared.ranges import Range, RequestedRange, resolve
from db.reports.shared.report import Question
from db.reports.timeseries import Interval, Metric, timeseries
from db.rollups.advance import Rollup, advance
from db.store.events import store_events
from tests.builders.factories import batch
from tests.checks.thorough import TIMES
from tests.conftest import Connection
from tests.db.schema.test_migrations import EmptyDatabase
from tests.oracles.clock_changes import Change, changes
from tests.oracles.naive import bucket

NOW = datetime.now(UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: A filter that leaves nothing out, and that only the events can answer.
OF_EVENTS = "properties.none:missing"
OF_TWO: tuple[Metric, ...] = ("events", "users")
INTERVALS: tuple[Interval, ...] = ("hour", "day", "week", "month")


#: Clocks that change by half an hour, and a minute after midnight.
ODD = {"Australia/Lord_Howe", "Canada/Newfoundland"}


def test_they_equal_a_naive_count(empty_database: EmptyDatabase) -> None:
    url = empty_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        found = changes(conn, NOW)
        assert len(found) > 150
        odd = [change for change in found if change.zone in ODD]
        assert {change.zone for change in odd} == ODD
        # Others in each run of the suite.
        found = odd + Random().sample([one for one in found if one not in odd], min(60 * TIMES, len(found) - len(odd)))
        events = {f"{number} {change.zone}": around(change) for number, change in enumerate(found)}
        fill(conn, found, events)
        conn.execute("analyze")
    asyncio.run(compare(url, found, events))


def around(change: Change) -> list[datetime]:
    """Each ten minutes for three hours before and after, and an hour before and after the midnights beside it."""
    zone = ZoneInfo(change.zone)
    day = change.at.astimezone(zone).date()
    moments = {change.at + timedelta(minutes=10 * n) for n in range(-18, 19)} | {change.at - timedelta(minutes=1)}
    for beside in (day - DAY, day, day + DAY, day + 2 * DAY):
        midnight = datetime(beside.year, beside.month, beside.day, tzinfo=zone).astimezone(UTC)
        moments |= {midnight + timedelta(minutes=10 * n) for n in range(-6, 7)}
    return sorted(moments)


def fill(conn: Connection, found: list[Change], events: dict[str, list[datetime]]) -> None:
    # One partition for all: none would be made of itself for what is years ahead.
    conn.execute("create table events_of_all partition of events for values from ('2000-01-01') to ('2040-01-01')")
    zones = [(site, change.zone) for site, change in zip(events, found, strict=True)]
    with conn.cursor() as cur:
        cur.executemany("insert into sites (site_id, timezone) values (%s, %s)", zones)
    given = [sent(site, number, moment) for site, moments in events.items() for number, moment in enumerate(moments)]
    for start in range(0, len(given), 10_000):
        store_events(conn, batch(*given[start : start + 10_000]))
    for site in list(events)[::20]:  # some have the rollups that are written later
        for rollup in get_args(Rollup):
            while advance(conn, rollup, site, target=NOW + 800 * DAY):
                pass


def sent(site: str, number: int, moment: datetime) -> ReceivedEvent:
    return ReceivedEvent(
        site_id=site,
        event_type=("page_view", "click")[number % 5 == 0],
        path="/",
        user_id=(None, "ann", "bob")[number % 3],
        timestamp=moment,
        event_id=str(uuid4()),
        received_at=NOW,
    )


async def compare(url: str, found: list[Change], events: dict[str, list[datetime]]) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None) as conn:
        for change, (site, moments) in zip(found, events.items(), strict=True):
            zone = ZoneInfo(change.zone)
            given = [sent(site, number, moment) for number, moment in enumerate(moments)]
            dates = Counter(event.timestamp.astimezone(zone).date() for event in given)
            day = change.at.astimezone(zone).date()
            covered = await days(conn, site, day - 4 * DAY, day + 5 * DAY)
            for interval in INTERVALS:
                placed = [(bucket(event.timestamp, interval, change.zone).astimezone(UTC), event) for event in given]
                for metric in get_args(Metric):
                    expected = counted(placed, metric)
                    assert await ask(conn, site, covered, metric, interval) == expected, (change, metric, interval)
                for metric in OF_TWO:
                    expected = counted(placed, metric)
                    points = await ask(conn, site, covered, metric, interval, OF_EVENTS)
                    assert points == expected, (change, metric, interval)
            for one in {day - DAY, day, day + DAY} & dates.keys():
                covered = await days(conn, site, one, one + DAY)
                counts = [(await ask(conn, site, covered, "events", "hour", *n)).total() for n in ((), (OF_EVENTS,))]
                # A day that begins twice is no range of time.
                assert counts == ([dates[one]] * 2 if covered.days_fit else [counts[0]] * 2), (change, one)


async def days(conn: psycopg.AsyncConnection, site: str, first: date, end: date) -> Range:
    return await resolve(conn, site, RequestedRange(days=(first, end)), now=NOW)


async def ask(
    conn: psycopg.AsyncConnection, site: str, covered: Range, metric: Metric, interval: Interval, *filters: str
) -> Counter[Any]:
    question = Question(site_id=site, range=covered, filters=read_filters(filters), now=NOW, as_of=NOW)
    report = await timeseries(conn, question, metric=metric, interval=interval)
    assert report.source == "events" if filters else report.source
    found = {point.at.astimezone(UTC): (point.value, point.anonymous or 0) for point in report.points}
    assert len(found) == len(report.points)
    return Counter({(at, n): value for at, values in found.items() for n, value in enumerate(values) if value})


def counted(placed: list[tuple[datetime, ReceivedEvent]], metric: str) -> Counter[Any]:
    if metric == "users":
        users = {(at, event.user_id) for at, event in placed if event.user_id}
        return Counter([(at, 0) for at, _ in users] + [(at, 1) for at, event in placed if not event.user_id])
    return Counter((at, 0) for at, event in placed if metric == "events" or event.event_type == "page_view")
