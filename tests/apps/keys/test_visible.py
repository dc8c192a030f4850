"""What reports show of people, and to whom: ids of users to those who may read events, to share links nothing."""

from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.apps.keys.conftest import Share
from tests.builders.factories import batch, received
from tests.conftest import Connection


@pytest.fixture
def shared(share: Share, browser: httpx.Client, shop: str, conn: Connection) -> httpx.Client:
    """The browser of somebody who has opened a link."""
    event = received(shop, user_id="ann", properties={"email": "ann@example.com", "utm_source": "news"})
    store_events(conn, batch(event))
    browser.get(share(shop))
    return browser


def filtered(reporting: httpx.Client) -> list[str]:
    """The reports that take filters, dimensions or steps."""
    document = reporting.get("/schema/openapi.json").json()
    names = {"filter", "dimension", "step"}
    return sorted(
        f"{path} {parameter['name']}"
        for path, operations in document["paths"].items()
        for parameter in operations.get("get", {}).get("parameters") or []
        if parameter["name"] in names
    )


REPORTS = [
    "/breakdown dimension", "/breakdown filter", "/customers filter", "/customers/best filter",
    "/customers/cohorts filter", "/events filter", "/events/export filter", "/funnel filter",
    "/funnel step", "/journeys filter", "/live filter", "/live/stream filter", "/products filter", "/retention filter",
    "/revenue filter", "/sessions filter", "/timeseries filter", "/users/{user_id} filter",
]  # fmt: skip
OTHERS: dict[str, dict[str, Any]] = {
    "/breakdown": {"dimension": "path"},
    "/funnel": {"step": ["page_view", "purchase"]},
    "/journeys": {"path": "/"},
    "/timeseries": {"metric": "events", "interval": "day"},
    "/live/stream": {"seconds": 1},
}


def test_these_are_all(reporting: httpx.Client) -> None:
    assert filtered(reporting) == REPORTS


@pytest.mark.parametrize("report", REPORTS)
def test_a_link_shows_no_ids_of_people_and_no_properties_that_may_be(
    shared: httpx.Client, shop: str, report: str
) -> None:
    path, parameter = report.replace("{user_id}", "ann").split()
    values = {
        "dimension": ["properties.email", "user_id"],
        "filter": ["properties.email:exists", "user_id:is:ann", "visitor_id:is:phone", "properties.utm_sourcex:exists"],
        "step": ["page_view;properties.email:exists"],
    }
    for value in values[parameter]:
        given = [value, "purchase"] if parameter == "step" else value
        refused = shared.get(path, params={"site_id": shop, **OTHERS.get(path, {}), parameter: given})
        assert refused.status_code == 403, value
        assert "email" not in refused.text or "a share link shows no" in refused.text
    allowed = {
        "dimension": "properties.utm_source",
        "filter": "properties.utm_source:is:news",
        "step": ["page_view;properties.referrer:exists", "purchase"],
    }
    if not path.startswith(("/events", "/users", "/customers/best")):
        shown = shared.get(path, params={"site_id": shop, **OTHERS.get(path, {}), parameter: allowed[parameter]})
        assert shown.status_code == 200, shown.text


BY_VISITOR = {"dimension": "path", "filter": "visitor_id:is:phone"}


@pytest.mark.parametrize("scopes", [["reports:read"], ["reports:read", "events:read"], ["admin"]])
def test_ids_of_users_are_for_those_who_may_read_events(
    reporting: httpx.Client, browser: httpx.Client, shop: str, scopes: list[str]
) -> None:
    secret = reporting.post("/keys", json={"name": "k", "scopes": scopes}).json()["secret"]
    for params in ({"dimension": "user_id"}, {"dimension": "path", "filter": "user_id:is:ann"}, BY_VISITOR):
        headers = {"Authorization": f"Bearer {secret}"}
        found = browser.get("/breakdown", params={"site_id": shop, **params}, headers=headers)
        assert found.status_code == (403 if scopes == ["reports:read"] else 200)
        if found.status_code == 403:
            assert "events:read" in found.json()["detail"]
            assert 'scope="events:read"' in found.headers["WWW-Authenticate"]
