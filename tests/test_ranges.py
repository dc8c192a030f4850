"""The ranges of reports: which time they cover, and which rollups fit them."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from db.reports.ranges import Asked, Range, resolve
from db.store import store_events
from tests.conftest import Connection
from tests.factories import batch, received

NOW = datetime(2026, 3, 10, 20, tzinfo=UTC)


def resolved(database_url: str, site: str, now: datetime = NOW, **asked: Any) -> Range:
    async def ask() -> Range:
        async with await psycopg.AsyncConnection.connect(database_url) as conn:
            return await resolve(conn, site, Asked(**asked), now=now)

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
