"""Bots are told by a community's list: it knows them, and takes nobody's browser for one."""

import re
from typing import Any

import httpx
import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # type: ignore[import-untyped]

from apps.sdks.shared.bots import NARROWED, is_listed, patterns
from tests.apps.monitoring.test_metrics import Change, change
from tests.apps.sdks.test_sdk_visitors import GOOGLEBOT, bots
from tests.builders.browsers import user_agents
from tests.servers.queue import queued

__all__ = ["bots", "change"]

LISTED = {bot["pattern"]: bot.get("instances", []) for bot in CRAWLER_USER_AGENTS_DATA}
KNOWN = ["Googlebot/2.1", "bingbot/2.0", "GPTBot/1.2", "AhrefsBot/7.0", "Applebot/0.1", "Bytespider"]


def test_nobodys_browser_is_a_bot() -> None:
    browsers = list(dict.fromkeys(user_agents()))
    assert len(browsers) > 1000
    assert [one for one in browsers if is_listed(one)] == []


def test_every_exception_is_still_needed() -> None:
    browsers = "\n".join(user_agents())
    assert [one for one in NARROWED if one not in LISTED or not re.search(one, browsers)] == []


def test_bots_are_still_known() -> None:
    instances = [one for instances in LISTED.values() for one in instances]
    assert len(instances) > 2000
    missed = [one for one in instances if not is_listed(one)]
    # What a narrowed pattern lets pass is what cannot be told from a browser.
    assert len(missed) < 10, missed
    assert [one for one in KNOWN if not is_listed(f"Mozilla/5.0 (compatible; {one}; +https://bot.example/)")] == []
    assert is_listed("curl/8.5.0")
    assert len(patterns()) > len(LISTED) - 10


ORDER = {"order_id": "1", "revenue": 10, "currency": "EUR"}
SALES: list[tuple[str, Any]] = [
    ("/v1/track", {"writeKey": "SITE", "event": "Order Completed", "properties": ORDER}),
    ("/v1/track", {"writeKey": "SITE", "event": "Order Refunded"}),
    ("/v1/track", {"writeKey": "SITE", "event": "Bought", "properties": {"total": "10"}}),
    ("/api/s/track", {"writeKey": "SITE", "event": "purchase"}),
    ("/batch", {"api_key": "SITE", "event": "purchase", "properties": ORDER}),
    ("/api/event", {"n": "Deal", "d": "SITE", "u": "https://shop.example/", "$": {"amount": 10, "currency": "EUR"}}),
    ("/api/send", {"type": "event", "payload": {"website": "SITE", "name": "sale", "data": {"revenue": 10}}}),
    ("/tracker", {"site_id": "SITE", "events": [{"event_type": "refund", "path": "/", "properties": ORDER}]}),
]


@pytest.mark.parametrize(("path", "body"), SALES, ids=str)
def test_what_carries_money_is_marked_and_never_dropped(
    ingestion: httpx.Client, shop: str, change: Change, path: str, body: Any
) -> None:
    text = httpx.Request("POST", "http://x", json=body).content.decode().replace("SITE", shop)
    ingestion.post(path, content=text, headers={"user-agent": GOOGLEBOT})
    (sale,) = queued(shop)
    assert sale["properties"]["bot"] is True
    counted = {name: value for name, value in change().items() if "bot_events_total" in name}
    assert [("outcome=marked" in name, value) for name, value in counted.items()] == [(True, 1)]


@pytest.mark.parametrize("bots", ["keep"], indirect=True)
def test_what_is_kept_is_not_marked(ingestion: httpx.Client, shop: str, bots: str) -> None:
    body = {"writeKey": shop, "event": "purchase", "properties": ORDER}
    ingestion.post("/v1/track", json=body, headers={"user-agent": GOOGLEBOT})
    assert [one["properties"] for one in queued(shop)] == [ORDER]


@pytest.mark.parametrize("properties", [None, {}, {"revenue": None, "total": "", "order_id": []}, {"price": 10}])
def test_what_carries_none_is_dropped(ingestion: httpx.Client, shop: str, properties: Any) -> None:
    body = {"writeKey": shop, "event": "Product Viewed", "properties": properties}
    ingestion.post("/v1/track", json=body, headers={"user-agent": GOOGLEBOT})
    assert queued(shop) == []
