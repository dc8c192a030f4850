"""GET /breakdown: by hand, and against a naive count."""

from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.events.event import ReceivedEvent
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, histories, kept, midnight, within

RANGE = {"from": "2026-03-10", "to": "2026-03-12"}


def ask(reporting: httpx.Client, site: str, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get("/breakdown", params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


@pytest.fixture
def visits(conn: Connection, shop: str, other: str) -> str:
    """Visits of two days of March 2026, and of a day before."""
    lamp, paid = "/products/Lämp", {"plan": {"name": "paid", "seats": 3}}
    store_events(
        conn,
        batch(
            received(shop, timestamp="2026-03-09T23:59:59Z", user_id="ann", path=lamp),
            received(shop, timestamp="2026-03-10T00:00:00Z", user_id="ann"),
            received(shop, timestamp="2026-03-10T12:00:00Z", user_id="ann", path=lamp, properties=paid),
            received(shop, timestamp="2026-03-10T12:00:00Z", user_id="bob", path=lamp, properties=paid),
            received(shop, timestamp="2026-03-11T12:00:00Z", path=lamp, properties={"plan": {"name": "free"}}),
            received(shop, timestamp="2026-03-11T13:00:00Z", event_type="click", user_id="bob", path="/a"),
            received(shop, timestamp="2026-03-11T13:00:00Z", event_type="click", path="/a", properties={"plan": None}),
            received(shop, timestamp="2026-03-12T00:00:00Z", user_id="late", path="/late"),
            received(other, timestamp="2026-03-10T12:00:00Z", user_id="mallory", path="/secret"),
        ),
    )
    return shop


@pytest.mark.parametrize(
    ("parameters", "source", "expected"),
    [
        ({"dimension": "path"}, "rollups", [("/products/Lämp", 3), ("/a", 2), ("/", 1)]),
        ({"dimension": "event_type"}, "rollups", [("page_view", 4), ("click", 2)]),
        ({"dimension": "user_id"}, "events", [("ann", 2), ("bob", 2)]),
        ({"dimension": "properties.plan.name"}, "events", [("paid", 2), ("free", 1)]),
        ({"dimension": "properties.plan.seats"}, "events", [("3", 2)]),
        ({"dimension": "properties.plan", "search": "FREE"}, "events", [('{"name": "free"}', 1)]),
        ({"dimension": "path", "limit": 1}, "rollups", [("/products/Lämp", 3)]),
        ({"dimension": "path", "search": "LÄMP"}, "rollups", [("/products/Lämp", 3)]),
        ({"dimension": "path", "search": ".*"}, "rollups", []),
        ({"dimension": "path", "filter": "event_type:is:click"}, "rollups", [("/a", 2)]),
        ({"dimension": "path", "filter": "user_id:is:ann"}, "events", [("/", 1), ("/products/Lämp", 1)]),
        ({"dimension": "event_type", "filter": "path:is:/a"}, "rollups", [("click", 2)]),
        ({"dimension": "event_type", "timezone": "Asia/Tokyo"}, "rollups", [("page_view", 5), ("click", 2)]),
        ({"dimension": "event_type", "timezone": "Asia/Kolkata"}, "events", [("page_view", 5), ("click", 2)]),
        ({"dimension": "path", "timezone": "Asia/Tokyo", "search": "/a"}, "events", [("/a", 2)]),
    ],
)  # fmt: skip
def test_the_values_with_most_events_come_first(
    reporting: httpx.Client, visits: str, parameters: dict[str, Any], source: str, expected: list[Any]
) -> None:
    report = ask(reporting, visits, **RANGE, **parameters)
    assert [(row["value"], row["events"]) for row in report["rows"]] == expected
    assert report["source"] == source


def test_no_event_goes_untold(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits, **RANGE, dimension="properties.plan.name", limit=1)
    assert report["total"] == {"events": 6}
    assert report["rows"] == [{"value": "paid", "events": 2, "share": 0.333333}]
    assert (report["without_value"], report["rest"], report["values"]) == ({"events": 3}, 1, 2)
    assert "without_value" not in ask(reporting, visits, **RANGE, dimension="path")


def test_a_search_leaves_the_shares_as_they_are(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits, **RANGE, dimension="path", search="prod")
    assert report["rows"] == [{"value": "/products/Lämp", "events": 3, "share": 0.5}]
    assert (report["total"], report["rest"], report["values"]) == ({"events": 6}, 3, 1)


@pytest.mark.parametrize(
    ("parameters", "source", "rows"),
    [
        ({"dimension": "event_type"}, "rollups", [("page_view", 4, 2, 1), ("click", 2, 1, 1)]),
        ({"dimension": "event_type", "filter": "path:contains:/"}, "events",
            [("page_view", 4, 2, 1), ("click", 2, 1, 1)]),
        ({"dimension": "path"}, "events", [("/products/Lämp", 3, 2, 1), ("/a", 2, 1, 1), ("/", 1, 1, 0)]),
        ({"dimension": "user_id"}, "events", [("ann", 2, 1, 0), ("bob", 2, 1, 0)]),
    ],
)  # fmt: skip
def test_users_are_counted_once_and_anonymous_events_apart(
    reporting: httpx.Client, visits: str, parameters: dict[str, Any], source: str, rows: list[Any]
) -> None:
    report = ask(reporting, visits, **RANGE, **parameters, metrics="events,users")
    assert [(row["value"], row["events"], row["users"], row["anonymous"]) for row in report["rows"]] == rows
    assert report["total"] == {"events": 6, "users": 2, "anonymous": 2}
    assert report["source"] == source
    if parameters["dimension"] == "user_id":
        assert report["without_value"] == {"events": 2, "users": 0, "anonymous": 2}


def test_it_compares_the_same_values_with_another_time(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits, **RANGE, dimension="path", compare="previous_period", metrics="events,users")
    assert [(row["value"], row["compare_events"]) for row in report["rows"]] == [
        ("/products/Lämp", 1),
        ("/a", 0),
        ("/", 0),
    ]
    assert report["compare"] == {"from": "2026-03-08T00:00:00Z", "to": "2026-03-10T00:00:00Z", "events": 1}


def test_rows_come_as_csv(reporting: httpx.Client, visits: str) -> None:
    table = reporting.get(
        "/breakdown", params={"site_id": visits, "dimension": "path", **RANGE}, headers={"Accept": "text/csv"}
    )
    assert table.text.splitlines()[:2] == ["value,events,share", "/products/Lämp,3,0.5"]


def test_a_site_without_events_has_no_rows(reporting: httpx.Client, shop: str) -> None:
    for dimension in ("path", "event_type", "user_id", "properties.plan"):
        for metrics in ("events", "events,users"):
            report = ask(reporting, shop, dimension=dimension, metrics=metrics, compare="previous_year")
            assert (report["rows"], report["total"]["events"], report["rest"], report["values"]) == ([], 0, 0, 0)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "dimension"),
        ({"dimension": "colour"}, "dimension"),
        ({"dimension": "properties."}, "dimension"),
        ({"dimension": "path\n"}, "dimension"),
        ({"dimension": "path", "metrics": "users"}, "metrics"),
        ({"dimension": "path", "limit": 0}, "limit"),
        ({"dimension": "path", "limit": 1001}, "limit"),
        ({"dimension": "path", "search": "a" * 201}, "search"),
        ({"dimension": "path", "sort": "users"}, "sort"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get("/breakdown", params={"site_id": "shop", **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def value(one: ReceivedEvent, dimension: str) -> str | None:
    if not dimension.startswith("properties."):
        found: str | None = getattr(one, dimension)
        return found
    named = (one.properties or {}).get(dimension.removeprefix("properties."))
    return None if named is None else str(named)


@examples(30)
@given(
    histories(),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.sampled_from(["path", "event_type", "user_id", "properties.plan", "properties.seats"]),
    st.sampled_from(["events", "events,users"]),
    st.sampled_from(["", "a", "R", "1", "Ä", "*"]),
    st.integers(1, 4),
    st.sampled_from([((2026, 3, 8), (2026, 4, 5)), ((2026, 2, 20), (2026, 5, 1))]),
)
def test_it_equals_a_naive_count(
    conn: Connection,
    reporting: httpx.Client,
    history: Any,
    site_zone: str,
    zone: str,
    dimension: str,
    metrics: str,
    search: str,
    limit: int,
    days: tuple[tuple[int, int, int], tuple[int, int, int]],
) -> None:
    site, stored = kept(conn, history, timezone=site_zone)
    first, end = days
    parameters = {"dimension": dimension, "metrics": metrics, "search": search, "limit": limit}
    report = ask(reporting, site, **{"from": str(date(*first)), "to": str(date(*end))}, timezone=zone, **parameters)
    events = within(stored, midnight(*first, zone), midnight(*end, zone))
    groups: dict[str | None, list[ReceivedEvent]] = {}
    for one in events:
        groups.setdefault(value(one, dimension), []).append(one)

    def counts(group: list[ReceivedEvent]) -> dict[str, int]:
        users = {one.user_id for one in group if one.user_id}
        anonymous = sum(one.user_id is None for one in group)
        return {"events": len(group)} | ({"users": len(users), "anonymous": anonymous} if "users" in metrics else {})

    matching = {name: group for name, group in groups.items() if name is not None and search.lower() in name.lower()}
    best = sorted(matching, key=lambda name: (-len(matching[name]), name.encode()))[:limit]
    assert report["total"] == counts(events)
    assert report["values"] == len(matching)
    assert [row["value"] for row in report["rows"]] == best
    for row in report["rows"]:
        assert {name: row[name] for name in counts([])} == counts(matching[row["value"]])
    if dimension not in ("path", "event_type"):
        assert report["without_value"] == counts(groups.get(None, []))
    told = sum(row["events"] for row in report["rows"]) + report.get("without_value", {}).get("events", 0)
    assert told + report["rest"] == len(events)
