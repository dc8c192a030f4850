"""GET /timeseries: by hand, and against a naive count."""

import csv
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection


def ask(reporting: httpx.Client, site: str, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get("/timeseries", params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def values(report: dict[str, Any]) -> list[int]:
    return [point["value"] for point in report["points"]]


@pytest.fixture
def visits(conn: Connection, shop: str, other: str) -> str:
    """Visits of two days of March 2026."""
    store_events(
        conn,
        batch(
            received(shop, timestamp="2026-03-10T00:00:00Z", user_id="ann"),
            received(shop, timestamp="2026-03-10T00:59:59.999Z", user_id="ann", path="/products/1"),
            received(
                shop, timestamp="2026-03-10T13:00:00Z", event_type="click", user_id="bob", properties={"plan": "a"}
            ),
            received(shop, timestamp="2026-03-10T23:59:59Z"),
            received(shop, timestamp="2026-03-12T00:00:00Z", user_id="eve"),
            received(shop, timestamp="2026-03-13T00:00:00Z", user_id="late"),
            received(other, timestamp="2026-03-10T12:00:00Z", user_id="mallory"),
        ),
    )
    return shop


RANGE = {"from": "2026-03-10", "to": "2026-03-13"}


@pytest.mark.parametrize(
    ("parameters", "source", "expected"),
    [
        ({"metric": "events"}, "rollups", [4, 0, 1]),
        ({"metric": "views"}, "rollups", [3, 0, 1]),
        ({"metric": "users"}, "rollups", [2, 0, 1]),
        ({"metric": "users", "interval": "week"}, "rollups", [3]),
        ({"metric": "events", "filter": "path:is:/products/*"}, "rollups", [1, 0, 0]),
        ({"metric": "events", "filter": ["path:is_not:/products/*", "event_type:is:page_view"]}, "rollups", [2, 0, 1]),
        ({"metric": "views", "filter": "event_type:is:click"}, "rollups", [0, 0, 0]),
        ({"metric": "users", "filter": "path:is:/"}, "events", [2, 0, 1]),
        ({"metric": "events", "filter": "user_id:is:ann|eve"}, "events", [2, 0, 1]),
        ({"metric": "events", "filter": "user_id:is_not:ann"}, "events", [2, 0, 1]),
        ({"metric": "events", "filter": "properties.plan:is:a"}, "events", [1, 0, 0]),
        ({"metric": "events", "filter": "properties.plan:missing"}, "events", [3, 0, 1]),
        ({"metric": "events", "timezone": "America/New_York"}, "rollups", [2, 1, 1]),
        ({"metric": "events", "timezone": "Asia/Kolkata"}, "events", [3, 1, 1]),
    ],
)  # fmt: skip
def test_it_has_a_point_for_each_day(
    reporting: httpx.Client, visits: str, parameters: dict[str, Any], source: str, expected: list[int]
) -> None:
    report = ask(reporting, visits, **RANGE, **parameters)
    assert values(report) == expected
    assert report["source"] == source


def test_it_says_what_it_covers(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits, **RANGE, timezone="America/New_York")
    assert (report["from"], report["to"]) == ("2026-03-10T00:00:00-04:00", "2026-03-13T00:00:00-04:00")
    assert report["timezone"] == "America/New_York"
    assert [point["at"] for point in report["points"]] == [f"2026-03-{day}T00:00:00-04:00" for day in (10, 11, 12)]
    assert datetime.fromisoformat(report["as_of"]) <= datetime.now(UTC)


def test_events_without_a_user_are_told_apart(reporting: httpx.Client, visits: str) -> None:
    by_rollup = ask(reporting, visits, **RANGE, metric="users")
    by_events = ask(reporting, visits, **RANGE, metric="users", filter="path:contains:/")
    assert by_rollup["points"] == by_events["points"]
    assert [point["anonymous"] for point in by_rollup["points"]] == [1, 0, 0]


def test_it_compares_with_another_time(reporting: httpx.Client, visits: str) -> None:
    march = {"from": "2026-03-12", "to": "2026-03-14", "interval": "day"}
    report = ask(reporting, visits, **march, compare="previous_period")
    assert values(report) == [1, 1]
    assert [point["value"] for point in report["compare"]] == [4, 0]
    assert [point["at"] for point in report["compare"]] == ["2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"]
    assert ask(reporting, visits, date="2026-03-10", compare="previous_year")["compare"][0]["at"].startswith(
        "2025-03-10"
    )


def test_in_a_table_each_bucket_has_the_other_time_beside_it(reporting: httpx.Client, visits: str) -> None:
    parameters = {"site_id": visits, "from": "2026-03-12", "to": "2026-03-13", "interval": "day"}
    answer = partial(reporting.get, "/timeseries", params=parameters | {"compare": "previous_period"})
    assert answer(headers={"Accept": "text/csv"}).text.splitlines() == [
        "at,value,compare_at,compare_value",
        "2026-03-12T00:00:00Z,1,2026-03-11T00:00:00Z,0",
    ]
    assert answer(headers={"Accept": "application/x-ndjson"}).json() == {
        "at": "2026-03-12T00:00:00Z",
        "value": 1,
        "compare_at": "2026-03-11T00:00:00Z",
        "compare_value": 0,
    }


def test_a_bucket_that_only_one_of_two_times_has_stands_alone(reporting: httpx.Client, shop: str) -> None:
    for year, filled in (("2028", "at"), ("2029", "compare_at")):  # of 366 days, and of 365 after one of 366
        parameters = {"site_id": shop, "from": f"{year}-01-01", "to": f"{int(year) + 1}-01-01", "interval": "day"}
        answer = reporting.get(
            "/timeseries",
            params=parameters | {"compare": "previous_year"},
            headers={"Accept": "text/csv"},
        )
        rows = list(csv.DictReader(answer.text.splitlines()))
        assert len(rows) == 366
        assert [name for name in ("at", "compare_at") if rows[-1][name]] == [filled]


def test_the_hours_of_a_day_are_as_many_as_its_clocks_say(reporting: httpx.Client, shop: str) -> None:
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)):
        points = ask(reporting, shop, date=day, timezone="Europe/Berlin")["points"]
        assert len(points) == len({point["at"] for point in points}) == hours
        assert ask(reporting, shop, date=day, timezone="Europe/Berlin", interval="day")["points"][0]["value"] == 0


def test_rows_come_as_csv_or_ndjson(reporting: httpx.Client, visits: str) -> None:
    parameters = {"site_id": visits, "metric": "users", **RANGE}
    table = reporting.get("/timeseries", params=parameters, headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[:2] == ["at,value,anonymous", "2026-03-10T00:00:00Z,2,1"]
    lines = reporting.get("/timeseries", params=parameters, headers={"Accept": "application/x-ndjson"})
    assert lines.text.splitlines()[0] == '{"at":"2026-03-10T00:00:00Z","value":2,"anonymous":1}'
    assert reporting.get("/timeseries", params=parameters, headers={"Accept": "image/png"}).status_code == 406


def test_an_answer_that_has_not_changed_is_not_sent_again(
    reporting: httpx.Client, conn: Connection, visits: str
) -> None:
    first = reporting.get("/timeseries", params={"site_id": visits, **RANGE})
    assert first.headers["cache-control"] == "private, max-age=300"
    again = reporting.get(
        "/timeseries", params={"site_id": visits, **RANGE}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    store_events(conn, batch(received(visits, timestamp="2026-03-11T00:00:00Z")))
    changed = reporting.get(
        "/timeseries", params={"site_id": visits, **RANGE}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert changed.status_code == 200
    today = reporting.get("/timeseries", params={"site_id": visits, "period": "today"})
    assert today.headers["cache-control"] == "private, max-age=5"


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"metric": "money"}, "metric"),
        ({"interval": "second"}, "interval"),
        ({"interval": "minute", "period": "30d"}, "interval"),
        ({"date": "2026-03-10", "period": "7d"}, "period"),
        ({"from": "2026-03-10", "date": "2026-03-10"}, "from"),
        ({"to": "2026-03-10"}, "to"),
        ({"from": "2026-03-10", "to": "2026-03-10"}, "to"),
        ({"from": "2026-03-10", "to": "2026-03-11T00:00:00Z"}, "to"),
        ({"from": "2026-03-10T00:00:00Z", "to": "2026-03-11"}, "to"),
        ({"from": "2026-03-10T00:00:00"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"from": "today"}, "from"),
        ({"from": "-58800"}, "from"),
        ({"period": "fortnight"}, "period"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"filter": "colour:is:red"}, "filter"),
        ({"filter": "path:like:/a"}, "filter"),
        ({"filter": "path:is:"}, "filter"),
        ({"filter": ["path:is:/a", "path:is:/b"]}, "filter"),
        ({"filter": "properties.seats:gt:many"}, "filter"),
        ({"filter": "properties.seats:exists:yes"}, "filter"),
        ({"compare": "next_year"}, "compare"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get("/timeseries", params={"site_id": "shop", **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
