"""The ranges of reports: which time they cover, and which rollups fit them."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, get_args
from zoneinfo import ZoneInfo

import httpx
import msgspec
import psycopg
import pytest

from apps.web.problems import refusal_for
from db.events.errors import BadParameter
from db.reports.shared.filters import read_filters
from db.reports.shared.ranges import Comparison, Range, RequestedRange, resolve
from db.reports.shared.report import Question, compared
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

NOW = datetime(2026, 3, 10, 20, tzinfo=UTC)


def resolved(database_url: str, site: str, now: datetime = NOW, **asked: Any) -> Range:
    async def ask() -> Range:
        async with await psycopg.AsyncConnection.connect(database_url) as conn:
            return await resolve(conn, site, RequestedRange(**asked), now=now)

    return asyncio.run(ask())


def test_a_range_without_an_end_has_all_of_today(database_url: str, shop: str) -> None:
    # At 20:00 UTC it is tomorrow in Tokyo already, and still today on Pago Pago.
    for zone, day in (("UTC", 11), ("Asia/Tokyo", 12), ("Pacific/Kiritimati", 12), ("Pacific/Pago_Pago", 11)):
        found = resolved(database_url, shop, days=(date(2026, 3, 1), None), timezone=zone)
        assert found.end_day == date(2026, 3, day), zone
        assert found.start < NOW < found.end, zone


@pytest.mark.parametrize("name", ["o'brien", "back\\'; select 1; --", "%s %(site_id)s %", '"ä" $1 \\', "''"])
def test_a_site_may_have_any_name(conn: Connection, reporting: httpx.Client, shop: str, name: str) -> None:
    site = f"{shop} {name}"
    store_events(conn, batch(received(site, timestamp="2026-03-10T12:00:00Z")))
    asked = {"site_id": site, "from": "2026-03-10", "to": "2026-03-11", "compare": "previous_period"}
    report = reporting.get("/timeseries", params=asked | {"interval": "day"}).json()
    assert (report["site_id"], [point["value"] for point in report["points"]]) == (site, [1])


def visits(conn: Connection, site: str, first: datetime) -> None:
    """A visit each quarter of an hour for 60 hours."""
    moments = [first + timedelta(minutes=15 * number) for number in range(240)]
    store_events(conn, batch(*(received(site, timestamp=moment.isoformat()) for moment in moments)))


def points(reporting: httpx.Client, site: str, **parameters: Any) -> tuple[str, list[int]]:
    answer = reporting.get("/timeseries", params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    report = answer.json()
    return report["source"], [point["value"] for point in report["points"]]


@pytest.mark.parametrize(
    ("site_zone", "zone", "start", "end"),
    [
        ("UTC", "Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05T12:00:00Z"),
        ("Australia/Lord_Howe", "UTC", "2026-04-04T13:00:00Z", "2026-04-05T12:00:00Z"),
        ("UTC", "Australia/Lord_Howe", "2025-10-04T12:00:00Z", "2025-10-06T11:00:00Z"),
    ],
)
def test_hours_that_fit_until_clocks_are_changed_are_counted_from_events(
    conn: Connection, reporting: httpx.Client, shop: str, site_zone: str, zone: str, start: str, end: str
) -> None:
    conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [shop, site_zone])
    visits(conn, shop, datetime.fromisoformat(start) - timedelta(hours=3))
    asked = {"from": start, "to": end, "timezone": zone, "interval": "hour"}
    found = points(reporting, shop, **asked)
    assert found[0] == "events"
    assert found == points(reporting, shop, **asked, filter="properties.none:missing")


@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        ("Atlantic/Azores", "2026-03-29", 92),
        ("Atlantic/Azores", "2026-10-25", 100),
        ("Africa/Cairo", "2026-04-24", 92),
        ("America/Havana", "2026-03-08", 92),
        ("America/Havana", "2025-11-02", 100),
        ("Australia/Lord_Howe", "2026-04-05", 98),
    ],
)
def test_a_day_whose_midnight_is_missing_or_repeated_is_whole(
    conn: Connection, reporting: httpx.Client, shop: str, zone: str, day: str, quarters: int
) -> None:
    conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [shop, zone])
    visits(conn, shop, datetime.fromisoformat(f"{day}T12:00:00Z") - timedelta(hours=30))
    asked = {"date": day, "interval": "day"}
    assert points(reporting, shop, **asked) == ("rollups", [quarters])
    assert points(reporting, shop, **asked, filter="properties.none:missing") == ("events", [quarters])


@pytest.mark.parametrize("zone", ["EST5EDT", "Etc/GMT+5", "Asia/Kathmandu"])
def test_a_site_may_have_any_timezone_that_is_known(
    conn: Connection, reporting: httpx.Client, shop: str, zone: str
) -> None:
    conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [shop, zone])
    store_events(conn, batch(received(shop)))
    assert points(reporting, shop, date="2026-03-10", interval="day") == ("rollups", [1])


@pytest.mark.parametrize("interval", [{}, {"interval": "month"}])
def test_a_range_too_long_for_any_series_is_refused(
    reporting: httpx.Client, shop: str, interval: dict[str, str]
) -> None:
    asked = {"site_id": shop, "from": "1900-01-01", "to": "2199-01-01", **interval}
    answer = reporting.get("/timeseries", params=asked)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["allowed"] == "none: a shorter range"


@pytest.mark.parametrize(("period", "days"), [("7d", 7), ("14d", 14), ("28d", 28), ("60d", 60), ("90d", 90)])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati"])
def test_a_period_of_days_ends_with_today(database_url: str, shop: str, period: str, days: int, zone: str) -> None:
    found = resolved(database_url, shop, period=period, timezone=zone)
    assert found.end_day == NOW.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    assert found.first_day == found.end_day - timedelta(days=days)


@pytest.mark.parametrize(
    ("period", "first"), [("week", "03-09"), ("month", "03-01"), ("quarter", "01-01"), ("year", "01-01")]
)
def test_a_period_of_the_calendar_begins_with_it(database_url: str, shop: str, period: str, first: str) -> None:
    found = resolved(database_url, shop, period=period, timezone="America/New_York")
    assert (f"{found.first_day:%m-%d}", found.end_day) == (first, date(2026, 3, 11))


def local(asked: RequestedRange, zone: str) -> tuple[str, str]:
    assert asked.instants
    start, end = (moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for moment in asked.instants)
    return start, end


@pytest.mark.parametrize(
    ("asked", "comparison", "start", "end"),
    [
        ({"period": "today"}, "previous_period", "2026-03-09 00:00", "2026-03-09 16:00"),
        ({"period": "today"}, "previous_week", "2026-03-03 00:00", "2026-03-03 16:00"),
        ({"period": "today"}, "previous_year", "2025-03-10 00:00", "2025-03-10 16:00"),
        ({"period": "7d"}, "previous_period", "2026-02-25 00:00", "2026-03-03 16:00"),
        ({"period": "7d"}, "previous_week", "2026-02-25 00:00", "2026-03-03 16:00"),
        ({"period": "30d"}, "previous_week", "2026-01-05 00:00", "2026-02-03 16:00"),
        ({"period": "today"}, "same_weekday", "2026-03-03 00:00", "2026-03-03 16:00"),
        ({"period": "7d"}, "same_weekday", "2026-02-25 00:00", "2026-03-03 16:00"),
        ({"period": "14d"}, "same_weekday", "2026-01-28 00:00", "2026-02-10 16:00"),
        ({"period": "28d"}, "same_weekday", "2026-01-14 00:00", "2026-02-10 16:00"),
        ({"period": "30d"}, "same_weekday", "2026-01-05 00:00", "2026-02-03 16:00"),
        ({"period": "week"}, "same_weekday", "2026-03-02 00:00", "2026-03-03 16:00"),
        ({"period": "month"}, "previous_period", "2026-02-19 00:00", "2026-02-28 16:00"),
        ({"days": (date(2026, 3, 9), date(2026, 3, 16))}, "previous_period", "2026-03-02 00:00", "2026-03-03 16:00"),
        ({"instants": (NOW - timedelta(hours=2), NOW + timedelta(hours=2))}, "previous_period",
         "2026-03-10 10:00", "2026-03-10 12:00"),
    ],
)  # fmt: skip
def test_a_range_that_is_not_over_is_compared_up_to_the_same_time(
    database_url: str, shop: str, asked: dict[str, Any], comparison: Comparison, start: str, end: str
) -> None:
    zone = "America/New_York"  # where it is 16:00, and clocks were changed two days ago
    found = resolved(database_url, shop, **asked, timezone=zone)
    assert local(found.compared(comparison, now=NOW), zone) == (start, end)


def test_a_range_that_is_over_is_compared_with_whole_days(database_url: str, shop: str) -> None:
    found = resolved(database_url, shop, period="yesterday")
    days = {name: found.compared(name, now=NOW).days for name in get_args(Comparison)}
    assert days == {
        "previous_period": (date(2026, 3, 8), date(2026, 3, 9)),
        "previous_week": (date(2026, 3, 2), date(2026, 3, 3)),
        "same_weekday": (date(2026, 3, 2), date(2026, 3, 3)),
        "previous_year": (date(2025, 3, 9), date(2025, 3, 10)),
    }


def test_there_is_always_a_range_to_compare_with(database_url: str, shop: str) -> None:
    """Days and hours over 29 February and changed clocks, over and not over."""
    template = resolved(database_url, shop, days=(date(2024, 2, 28), date(2024, 3, 1)))
    hour = timedelta(hours=1)
    for zone in ("UTC", "Europe/Berlin", "America/Havana", "Asia/Beirut"):
        for day in (date(2024, 2, 27) + timedelta(days=number) for number in range(4)):
            for length in (1, 2, 7, 366):
                end_day = day + timedelta(days=length)
                start, end = (
                    datetime(each.year, each.month, each.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
                    for each in (day, end_day)
                )
                shown = msgspec.structs.replace(
                    template, timezone=zone, first_day=day, end_day=end_day, start=start, end=end
                )
                for comparison, now in product(get_args(Comparison), (end, start + hour, end - hour / 2)):
                    asked = shown.compared(comparison, now=now)
                    first, last = asked.days or asked.instants or (end, start)
                    assert last
                    assert first < last, (zone, day, length, comparison, now)


def test_today_is_compared_with_yesterday_until_now(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    now = datetime.now(UTC)
    hours_to_noon = now.hour - 12
    zone = f"Etc/GMT{hours_to_noon:+d}"  # where it is about noon: signs are the other way round there
    yesterday = now - timedelta(days=1)
    times = [yesterday - timedelta(hours=2), yesterday + timedelta(hours=2), now - timedelta(hours=2)]
    store_events(conn, batch(*(received(shop, timestamp=moment.isoformat()) for moment in times)))
    asked = {"site_id": shop, "period": "today", "timezone": zone, "dimension": "path", "compare": "previous_period"}
    answer = reporting.get("/breakdown", params=asked).json()
    assert (answer["total"]["events"], answer["compare"]["events"]) == (1, 1)
    assert {name: answer["compare"][name] for name in ("from", "to")} == answer["compared_with"]


class Incomparable(Range, frozen=True, kw_only=True):
    """A range that is compared with nothing at all."""

    def compared(self, *_: object, **__: object) -> RequestedRange:
        return RequestedRange(instants=(NOW, NOW))


def test_a_comparison_that_cannot_be_made_is_not_another_parameters_fault(database_url: str, shop: str) -> None:
    covered = Incomparable(**msgspec.structs.asdict(resolved(database_url, shop, days=(NOW.date(), None))))
    question = Question(
        site_id=shop, range=covered, filters=read_filters([]), now=NOW, as_of=NOW, comparison="previous_year"
    )

    async def ask() -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as conn:
            await compared(conn, question)

    with pytest.raises(BadParameter) as refused:
        asyncio.run(ask())
    problem = refusal_for(refused.value).problem
    assert (problem.status, problem.errors[0].field) == (400, "compare")
