"""Days whose midnight is missing or comes twice: by rollups and by events the same, and as counted in plain Python."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest

from db.reports.shared.ranges import Range, RequestedRange, resolve
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.naive import bucket, midnight, sessions, within

DAY = timedelta(days=1)
#: Timezones and days on which their clocks were changed: two midnights, none, half an hour, a day that never was.
ODD = [
    ("Atlantic/Azores", date(2026, 10, 25)),
    ("Atlantic/Azores", date(2026, 3, 29)),
    ("America/Havana", date(2025, 11, 2)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2019, 2, 17)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Asia/Beirut", date(2026, 10, 25)),
    ("Asia/Colombo", date(2006, 4, 15)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Antarctica/Casey", date(2020, 3, 8)),
    ("Pacific/Apia", date(2011, 12, 31)),
    ("America/Toronto", date(2026, 11, 1)),
]
#: A filter that leaves nothing out, and that only the events can answer.
OF_EVENTS = {"filter": "properties.none:missing"}


@pytest.fixture(params=ODD, ids=str)
def odd(request: pytest.FixtureRequest, conn: Connection, shop: str) -> tuple[str, str, date, list[Any]]:
    """A site, its timezone, the day, and what happens: something each half an hour for three days."""
    zone, day = request.param
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [shop, zone])
    given = [
        received(
            shop,
            event_type=("purchase", "refund", "page_view")[number % 3],
            path=f"/{number % 2}",
            user_id=(None, "ann", "bob", "zoe", None)[number // 7 % 5],
            timestamp=(noon + timedelta(minutes=30 * number - 5)).isoformat(),
            event_id=str(uuid4()),
            properties={"revenue": abs(number), "currency": ("EUR", "USD")[number % 2]},
        )
        for number in range(-72, 73)
        if noon + timedelta(minutes=30 * number) < datetime.now(UTC)
    ]
    store_events(conn, batch(*given))
    return shop, zone, day, given


def ask(reporting: httpx.Client, report: str, site: str, first: date, last: date, **parameters: Any) -> dict[str, Any]:
    asked = {"site_id": site, "from": first.isoformat(), "to": (last + DAY).isoformat()}
    answer = reporting.get(f"/{report}", params=asked | parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def place(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def begin_of(day: date, zone: str) -> datetime:
    return midnight(day.year, day.month, day.day, zone).astimezone(UTC)


def spans(day: date) -> list[tuple[date, date]]:
    return [(day, day), (day - DAY, day + DAY), (day - 20 * DAY, day + 20 * DAY)]


@pytest.mark.some(14)
@pytest.mark.parametrize("interval", ["day", "week", "month"])
def test_every_sale_is_in_its_point(reporting: httpx.Client, odd: Any, interval: str) -> None:
    site, zone, day, given = odd
    for first, last in spans(day):
        expected: Counter[Any] = Counter()
        for one in within(given, begin_of(first, zone), begin_of(last + DAY, zone)):
            at, sale = bucket(one.timestamp, interval, zone).astimezone(UTC), one.properties or {}
            expected[at, sale["currency"], one.event_type] += sale["revenue"]
        for more in ({}, OF_EVENTS):
            report = ask(reporting, "revenue", site, first, last, interval=interval, **more)
            assert report["source"] == ("events" if more else "rollups")
            found: Counter[Any] = Counter()
            for point in report["points"]:
                found[place(point["at"]), point["currency"], "purchase"] += int(point["revenue"])
                found[place(point["at"]), point["currency"], "refund"] += int(point["refunded"])
            assert +found == Counter({at: one for at, one in expected.items() if at[2] != "page_view" and one}), more


@pytest.mark.some(14)
@pytest.mark.parametrize("metric", ["events", "views", "users"])
def test_every_event_is_in_its_bucket(reporting: httpx.Client, odd: Any, metric: str) -> None:
    site, zone, day, given = odd
    for (first, last), interval in product(spans(day), ("hour", "day", "week", "month")):
        events = within(given, begin_of(first, zone), begin_of(last + DAY, zone))
        placed = [(bucket(one.timestamp, interval, zone).astimezone(UTC), one) for one in events]
        expected: Counter[Any] = Counter(
            (at, 0) for at, one in placed if metric == "events" or one.event_type == "page_view"
        )
        if metric == "users":
            users = {(at, one.user_id) for at, one in placed if one.user_id}
            expected = Counter((at, 0) for at, _ in users) + Counter((at, 1) for at, one in placed if not one.user_id)
        for more in ({}, OF_EVENTS):
            report = ask(reporting, "timeseries", site, first, last, metric=metric, interval=interval, **more)
            found = Counter({(place(one["at"]), 0): one["value"] for one in report["points"]})
            found |= Counter({(place(one["at"]), 1): one.get("anonymous", 0) for one in report["points"]})
            assert +found == expected, (first, interval, more)


@pytest.mark.parametrize("interval", ["day", "week"])
def test_who_comes_back_is_counted(reporting: httpx.Client, odd: Any, interval: str) -> None:
    site, zone, day, given = odd

    def period(one: Any) -> str:
        return bucket(one.timestamp, interval, zone).date().isoformat()

    seen: dict[str, set[str]] = {}
    for one in given:
        if one.user_id:
            seen.setdefault(one.user_id, set()).add(period(one))
    begun = Counter(min(periods) for periods in seen.values())
    nobody = Counter(period(one) for one in given if not one.user_id)
    for more in ({}, OF_EVENTS):
        report = ask(reporting, "retention", site, day - 7 * DAY, day + 7 * DAY, interval=interval, periods=3, **more)
        cohorts = report["cohorts"]
        assert {one["cohort"]: one["size"] for one in cohorts if one["size"]} == begun
        assert {one["cohort"]: one["anonymous"] for one in cohorts if one["anonymous"]} == nobody
        for one in cohorts:
            step = DAY if interval == "day" else 7 * DAY
            later = [(date.fromisoformat(one["cohort"]) + n * step).isoformat() for n in range(len(one["values"]))]
            members = [periods for periods in seen.values() if min(periods) == one["cohort"]]
            assert one["values"] == [sum(at in periods for periods in members) for at in later]


def test_sessions_begin_on_their_day(reporting: httpx.Client, odd: Any) -> None:
    site, zone, day, given = odd
    for first, last in spans(day):
        start, end = begin_of(first, zone), begin_of(last + DAY, zone)
        expected = sessions(given, start, end)
        nobody = [one for one in within(given, start, end) if not one.user_id]
        for more in ({}, OF_EVENTS):
            found = ask(reporting, "sessions", site, first, last, **more)["summary"]
            assert (found["sessions"], found["anonymous"]) == (len(expected), len(nobody))


def test_what_is_compared_is_as_long_or_a_year_before(reporting: httpx.Client, odd: Any) -> None:
    site, zone, day, given = odd
    if begin_of(day - DAY, zone) < begin_of(day, zone):  # else that day never was
        shown = ask(reporting, "timeseries", site, day, day, interval="day", compare="previous_period")
        before = within(given, begin_of(day - DAY, zone), begin_of(day, zone))
        assert [point["value"] for point in shown["compare"]] == [len(before)]
    start = begin_of(day, zone)
    for hours in (1, 3, 30):
        asked = {"site_id": site, "timezone": zone, "from": start.isoformat(), "metric": "events", "interval": "hour"}
        asked |= {"to": (start + timedelta(hours=hours)).isoformat(), "compare": "previous_period"}
        answer = reporting.get("/timeseries", params=asked).json()
        before = within(given, start - timedelta(hours=hours), start)
        assert sum(point["value"] for point in answer["compare"]) == len(before)


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        ("2028-02-28T12:00:00Z", "2028-02-29T12:00:00Z", "UTC"),
        ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "Europe/Berlin"),
        ("2025-03-30T00:30:00Z", "2025-03-30T01:30:00Z", "Europe/Berlin"),
        ("2027-03-29T00:30:00Z", "2027-03-29T00:45:00Z", "Europe/Berlin"),
    ],
)
def test_a_year_before_is_a_range_too(
    reporting: httpx.Client, conn: Connection, shop: str, start: str, end: str, zone: str
) -> None:
    asked = {"site_id": shop, "from": start, "to": end, "timezone": zone, "compare": "previous_year"}
    answer = reporting.get("/timeseries", params=asked | {"interval": "hour"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe"])
def test_no_answer_depends_on_the_timezone_of_the_connection(
    conn: Connection, database_url: str, shop: str, zone: str
) -> None:
    """Two times that share a timezone are subtracted by what its clock shows."""

    async def ask_for() -> tuple[Range, Range]:
        async with await psycopg.AsyncConnection.connect(database_url, options=f"-c timezone={zone}") as there:
            asked = RequestedRange(instants=(start, end), timezone=zone)
            found = await resolve(there, shop, asked, now=end)
            return found, await resolve(there, shop, found.compared("previous_period", now=end), now=end)

    for changed in (datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 4, 4, 12, tzinfo=UTC)):
        start, end = changed, changed + timedelta(hours=7)
        found, before = asyncio.run(ask_for())
        assert (found.start, found.end, found.end - found.start) == (start, end, timedelta(hours=7))
        assert (before.start, before.end) == (start - timedelta(hours=7), start)
