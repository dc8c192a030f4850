"""filter=visitor_id:... in every report that takes filters: as if there were no other events."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

#: Reports with what they need beside site, range and filter. Each has an answer that other events would change.
REPORTS: dict[str, dict[str, Any]] = {
    "/timeseries": {"metric": "users", "interval": "hour"},
    "/breakdown": {"dimension": "path", "metrics": "events,users"},
    "/sessions": {},
    "/journeys": {"path": "/", "direction": "from"},
    "/funnel": {"step": ["page_view", "purchase"], "window": "1d"},
    "/retention": {"interval": "day"},
    "/revenue": {"interval": "day"},
    "/products": {},
    "/customers": {},
    "/customers/best": {"currency": "EUR"},
    "/customers/cohorts": {"currency": "EUR"},
    "/events": {},
    "/users/ann": {},
    "/live": {},
}
#: What is of the moment, and what tells one event from another.
OWN = {"site_id", "as_of", "filters", "event_id", "received_at", "stored_at", "source", "visitors"}


def without_own(report: Any) -> Any:
    if isinstance(report, dict):
        return {name: without_own(value) for name, value in report.items() if name not in OWN}
    return [without_own(one) for one in report] if isinstance(report, list) else report


@pytest.fixture
def sites(conn: Connection, shop: str, other: str) -> tuple[str, str]:
    """A site with events of two devices of a user, and of others; and one with those of the first device only."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=4)

    def event(site: str, seconds: int, path: str, **fields: Any) -> Any:
        return received(site, timestamp=(now + timedelta(seconds=seconds)).isoformat(), path=path, **fields)

    def order(number: int) -> dict[str, Any]:
        lines = [{"product_id": f"lamp-{number}", "price": 9, "quantity": 1}]
        return {"order_id": f"{number}", "revenue": 9, "currency": "EUR", "products": lines}

    phone: list[tuple[int, str, dict[str, Any]]] = [
        (1, "/", {"visitor_id": "phone"}),
        (2, "/a", {"visitor_id": "phone", "user_id": "ann"}),
        (3, "/checkout", {"visitor_id": "phone", "event_type": "purchase", "properties": order(1)}),
    ]
    others: list[tuple[int, str, dict[str, Any]]] = [
        (4, "/b", {"visitor_id": "laptop", "user_id": "ann"}),
        (5, "/", {"visitor_id": "tablet"}),
        (6, "/c", {"user_id": "bob"}),
        (7, "/checkout", {"user_id": "bob", "event_type": "purchase", "properties": order(2)}),
        (8, "/", {}),
    ]
    store_events(conn, batch(*(event(shop, at, path, **fields) for at, path, fields in phone + others)))
    store_events(conn, batch(*(event(other, at, path, **fields) for at, path, fields in phone)))
    return shop, other


def test_these_are_all(reporting: httpx.Client) -> None:
    paths = reporting.get("/schema/openapi.json").json()["paths"]
    taking = {
        path.replace("{user_id}", "ann")
        for path, operations in paths.items()
        if any(one["name"] == "filter" for one in operations.get("get", {}).get("parameters") or [])
    }
    assert taking == {*REPORTS, "/events/export", "/live/stream"}  # which answer as /events and /live


@pytest.mark.parametrize("path", REPORTS)
def test_the_events_of_a_visitor_are_counted_as_if_there_were_no_others(
    reporting: httpx.Client, sites: tuple[str, str], path: str
) -> None:
    today = datetime.now(UTC).date()
    span: dict[str, str] = {}
    if path != "/live":
        span = {"from": f"{today - timedelta(days=2)}", "to": f"{today + timedelta(days=1)}"}
    shop, alone = sites
    some = reporting.get(path, params={"site_id": shop, "filter": "visitor_id:is:phone", **span, **REPORTS[path]})
    only = reporting.get(path, params={"site_id": alone, **span, **REPORTS[path]})
    full = reporting.get(path, params={"site_id": shop, **span, **REPORTS[path]})
    assert some.status_code == only.status_code == 200, some.text
    found, expected, unfiltered = (without_own(one.json()) for one in (some, only, full))
    if path == "/retention":  # a filter says which events count as coming back; a cohort has everybody
        assert [one["values"][0] for one in found["cohorts"] if one["size"]] == [1]
        return
    if path == "/users/ann":  # what they ever did is told beside the events that match
        found, expected, unfiltered = found["events"], expected["events"], unfiltered["events"]
    if path == "/live":  # whose minutes go on between two requests
        found, expected, unfiltered = (
            {name: one[name] for name in ("events", "users", "pages")} for one in (found, expected, unfiltered)
        )
    assert found == expected
    assert found != unfiltered


def test_it_may_leave_visitors_out(reporting: httpx.Client, sites: tuple[str, str]) -> None:
    params = {"site_id": sites[0], "filter": "visitor_id:is_not:phone|laptop"}
    paths = [one["path"] for one in reporting.get("/events", params=params).json()["events"]]
    assert sorted(paths) == ["/", "/", "/c", "/checkout"]
