"""Reports of a site whose old events are no longer kept: from rollups as ever; from events only where all are there."""

from datetime import UTC, datetime
from typing import Any, get_args

import httpx
import pytest

from db.rollups.advance import Rollup, advance
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

KEPT_FROM = "2026-03-16T00:00:00Z"
#: Each report that is counted from events, with what it needs beside the range.
FROM_EVENTS: dict[str, dict[str, Any]] = {
    "/timeseries": {"interval": "hour", "metric": "users"},
    "/timeseries ": {"filter": "properties.plan:exists"},
    "/timeseries  ": {"metric": "users", "filter": "path:is:/"},
    "/breakdown": {"dimension": "user_id"},
    "/breakdown ": {"dimension": "path", "metrics": "events,users"},
    "/funnel": {"step": ["page_view", "click"]},
    "/retention": {"interval": "day", "filter": "path:is:/"},
    "/sessions": {},
    "/journeys": {"path": "/"},
    "/revenue": {"event_type": "sale"},
    "/revenue ": {"filter": "path:is:/"},
    "/events": {},
    "/events/export": {},
    "/users/ann": {},
}
FROM_ROLLUPS: dict[str, dict[str, Any]] = {
    "/timeseries": {"interval": "day"},
    "/timeseries ": {"metric": "users", "interval": "day"},
    "/breakdown": {"dimension": "path"},
    "/breakdown ": {"dimension": "event_type", "metrics": "events,users"},
    "/retention": {"interval": "day"},
    "/revenue": {"interval": "day"},
}
GONE = {"from": "2026-03-09", "to": "2026-03-17"}
THERE = {"from": "2026-03-16", "to": "2026-03-18"}


@pytest.fixture(autouse=True)
def _forgotten(conn: Connection, shop: str, other: str) -> None:
    """Both sites had events from 10 March on; of ours, those before the 16th are gone."""
    for site in (shop, other):
        days = [f"2026-03-{day}T12:00:00Z" for day in (10, 12, 16, 17)]
        store_events(conn, batch(*(received(site, timestamp=day, user_id="ann") for day in days)))
    conn.execute("delete from events where site_id = %s and event_time < %s", [shop, KEPT_FROM])
    conn.execute("update sites set events_from = %s where site_id = %s", [KEPT_FROM, shop])


def ask(reporting: httpx.Client, report: str, site: str, **parameters: Any) -> httpx.Response:
    return reporting.get(report.strip(), params={"site_id": site, **parameters})


@pytest.mark.parametrize("path", FROM_EVENTS)
def test_a_report_from_events_says_that_some_are_no_longer_kept(
    reporting: httpx.Client, shop: str, other: str, path: str
) -> None:
    answer = ask(reporting, path, shop, **GONE, **FROM_EVENTS[path])
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "events of this range are no longer kept"
    assert answer.json()["errors"] == [
        {
            "field": "from",
            "reason": "begins at 2026-03-09T00:00:00+00:00; this is counted from events, which are no longer kept "
            "before 2026-03-16T00:00:00+00:00",
            "allowed": "a range from 2026-03-16T00:00:00+00:00 on, or a question that rollups can answer",
        }
    ]
    assert ask(reporting, path, other, **GONE, **FROM_EVENTS[path]).status_code == 200
    assert ask(reporting, path, shop, **THERE, **FROM_EVENTS[path]).status_code == 200


@pytest.mark.parametrize("path", ["/funnel", "/journeys"])
def test_rollups_that_are_read_together_with_events_are_no_way_around(
    conn: Connection, reporting: httpx.Client, shop: str, other: str, path: str
) -> None:
    for site in (shop, other):
        for rollup in get_args(Rollup):
            advance(conn, rollup, site, target=datetime.now(UTC))
    assert ask(reporting, path, shop, **GONE, **FROM_EVENTS[path]).status_code == 400
    there = {"from": "2026-03-16", "to": "2026-03-20"}
    assert ask(reporting, path, shop, **there, **FROM_EVENTS[path]).status_code == 200


@pytest.mark.parametrize("path", FROM_ROLLUPS)
def test_a_report_from_rollups_has_what_it_always_had(
    reporting: httpx.Client, shop: str, other: str, path: str
) -> None:
    ours, theirs = (ask(reporting, path, site, **GONE, **FROM_ROLLUPS[path]).json() for site in (shop, other))
    assert ours["source"] == "rollups"
    for report in (ours, theirs):
        del report["site_id"], report["as_of"]
    assert ours == theirs


def test_other_pages_go_on(reporting: httpx.Client, shop: str) -> None:
    assert ask(reporting, "/stats", shop, date="2026-03-10").json()["total_views"] == 1
    assert ask(reporting, "/stats", shop).json()["total_views"] == 4
    assert ask(reporting, "/live", shop).status_code == 200
    (site,) = reporting.get("/sites", params={"search": shop}).json()["sites"]
    assert (site["events"], site["first_event"]) == (4, "2026-03-10T12:00:00Z")


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"date": "2026-03-10"}, "date"),
        ({"period": "all"}, "period"),
        ({"from": "2026-03-10T06:00:00Z", "to": "2026-03-20T00:00:00Z"}, "from"),
        ({"date": "2026-03-17", "compare": "previous_period"}, None),
        ({"from": "2026-03-16", "to": "2026-03-18", "compare": "previous_period"}, None),
        ({"from": "2026-03-16", "to": "2026-03-22", "compare": "previous_period"}, "compare"),
    ],
)
def test_the_parameter_that_reaches_too_far_back_is_named(
    reporting: httpx.Client, shop: str, parameters: dict[str, str], field: str | None
) -> None:
    answer = ask(reporting, "/sessions", shop, **parameters)
    assert [error["field"] for error in answer.json().get("errors", [])] == ([field] if field else [])


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "2026-03-13", "to": "2026-03-18"},  # only the border is before: there were no events in between
        {"from": "2026-01-01", "to": "2026-03-10"},  # before there was anything
        {"date": "2026-03-11"},
    ],
)
def test_a_range_in_which_nothing_was_lost_is_answered(
    reporting: httpx.Client, shop: str, other: str, parameters: dict[str, str]
) -> None:
    ours, theirs = (ask(reporting, "/sessions", site, **parameters).json()["summary"] for site in (shop, other))
    assert ours == theirs


@pytest.mark.parametrize(("zone", "first"), [("Asia/Kolkata", "2026-03-16"), ("America/New_York", "2026-03-15")])
def test_a_day_that_the_border_cuts_is_not_all_there(
    conn: Connection, reporting: httpx.Client, shop: str, zone: str, first: str
) -> None:
    store_events(conn, batch(received(shop, timestamp="2026-03-15T20:00:00Z", user_id="bob")))
    conn.execute("delete from events where site_id = %s and event_time < %s", [shop, KEPT_FROM])
    conn.execute("update sites set timezone = %s where site_id = %s", [zone, shop])
    answer = ask(reporting, "/sessions", shop, date=first)
    assert answer.status_code == 400
    begins = answer.json()["errors"][0]["allowed"].split(" ")[3]
    assert datetime.fromisoformat(begins) == datetime(2026, 3, 16, tzinfo=UTC)
    assert ask(reporting, "/sessions", shop, **{"from": begins, "to": "2026-03-18T00:00:00Z"}).status_code == 200


def test_of_a_user_it_tells_since_when_events_are_counted(reporting: httpx.Client, shop: str, other: str) -> None:
    ours, theirs = (ask(reporting, "/users/ann", site, **THERE).json()["ever"] for site in (shop, other))
    assert ours["first_seen"] == theirs["first_seen"] == "2026-03-10T12:00:00Z"
    assert (ours["total_events"], ours["kept_from"]) == (2, KEPT_FROM)
    assert theirs["total_events"] == 4
    assert "kept_from" not in theirs


@pytest.mark.parametrize("expired", [0, 1])
def test_an_hour_in_which_the_kept_events_begin_had_others_or_had_not(
    conn: Connection, reporting: httpx.Client, shop: str, expired: int
) -> None:
    """Where clocks are off by half an hour, hours begin before the day of UTC that events are kept from."""
    site = f"{shop}-east"
    conn.execute("insert into sites (site_id, timezone) values (%s, 'Asia/Kolkata')", [site])
    times = ["2026-03-15T23:50:00Z"] * expired + ["2026-03-16T00:10:00Z"]
    store_events(conn, batch(*(received(site, timestamp=time) for time in times)))
    conn.execute("delete from events where site_id = %s and event_time < %s", [site, KEPT_FROM])
    conn.execute("update sites set events_from = %s where site_id = %s", [KEPT_FROM, site])
    answer = ask(reporting, "/timeseries", site, **GONE, filter="properties.plan:missing")
    assert answer.status_code == (400 if expired else 200), answer.text
    if not expired:
        assert sum(point["value"] for point in answer.json()["points"]) == 1
