"""What becomes of the events of Plausible and Umami."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.apps.sdks.test_sdk_events import only, sent


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"n": "pageview", "u": "https://shop.example/lamp?utm_source=mail#a", "r": "https://r.example/"},
            {
                "event_type": "page_view",
                "path": "/lamp",
                "properties": {"referrer": "https://r.example/", "utm_source": "mail"},
                "origin": {"source": "mail", "referrer": "r.example", "channel": "Email"},
            },
        ),
        (
            {"name": "pageview", "url": "app://localhost/lamp", "props": {}},
            {"event_type": "page_view", "path": "/lamp"},
        ),
        (
            {
                "n": "Purchase",
                "u": "https://shop.example/",
                "p": {"plan": "a"},
                "$": {"amount": 119.9, "currency": "EUR"},
            },
            {"event_type": "Purchase", "path": "/", "properties": {"plan": "a", "revenue": 119.9, "currency": "EUR"}},
        ),
        (
            {"n": "Purchase", "u": "https://shop.example/", "p": '{"plan": "a"}'},
            {"event_type": "Purchase", "path": "/", "properties": {"plan": "a"}},
        ),
        (
            {"n": "404", "u": "https://shop.example", "h": 1, "v": 7, "somethingNew": 1},
            {"event_type": "404", "path": "/"},
        ),
    ],
    ids=str,
)
def test_plausible(ingestion: httpx.Client, shop: str, body: dict[str, Any], expected: dict[str, Any]) -> None:
    answer = sent(ingestion, "/api/event", {"d": shop} | body, content_type="text/plain")
    assert (answer.status_code, answer.text) == (202, "ok")
    event = only(shop)
    assert event.pop("visitor_id").startswith("daily-")
    assert UUID(event.pop("event_id")).version == 7
    del event["timestamp"]
    assert event.pop("properties", {}) == expected.pop("properties", {})
    assert event == expected


def test_an_event_of_plausible_is_one_of_each_of_its_domains(ingestion: httpx.Client, shop: str, other: str) -> None:
    sent(ingestion, "/api/event", {"name": "pageview", "domain": f"{shop},{other}", "url": "https://a.example/b"})
    visitors = {only(site)["visitor_id"] for site in (shop, other)}
    assert len(visitors) == 2


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        (
            "event",
            {"url": "/lamp?a=1", "title": "Lamp"},
            {"event_type": "page_view", "path": "/lamp", "properties": {"title": "Lamp"}},
        ),
        (
            "event",
            {"name": "add", "data": {"sku": "x"}},
            {"event_type": "add", "path": "/", "properties": {"sku": "x"}},
        ),
        (
            "identify",
            {"data": {"plan": 1}, "id": "ann"},
            {"event_type": "identify", "path": "/", "user_id": "ann", "properties": {"plan": 1}},
        ),
        (
            "event",
            {"url": "https://shop.example/lamp", "referrer": "", "somethingNew": 1},
            {"event_type": "page_view", "path": "/lamp"},
        ),
    ],
    ids=str,
)
def test_umami(ingestion: httpx.Client, shop: str, kind: str, payload: Any, expected: dict[str, Any]) -> None:
    body = {"type": kind, "payload": {"website": shop} | payload}
    answer = sent(ingestion, "/api/send", body, authorization="Bearer None", x_umami_cache="x")
    assert answer.text == '{"cache":"x"}'
    event = only(shop)
    assert event.pop("event_id")
    assert event.pop("timestamp")
    # A program that names a user, but no address, may speak for many: its own address is no visitor.
    assert event.pop("visitor_id", "").startswith("daily-") is ("user_id" not in expected)
    assert event == expected
