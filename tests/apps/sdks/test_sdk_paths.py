"""Which path an event of an SDK has: of URLs that are whole, relative, or go on behind a hash."""

import json
from typing import Any

import httpx
import pytest

from tests.servers.queue import queued

#: By protocol, how an event says where it is.
SHOPS: dict[str, tuple[str, Any]] = {
    "umami": ("/api/send", {"type": "event", "payload": {"website": "SITE", "url": "URL"}}),
    "umami event": ("/api/send", {"type": "event", "payload": {"website": "SITE", "name": "x", "url": "URL"}}),
    "plausible": ("/api/event", {"n": "pageview", "d": "SITE", "u": "URL"}),
    "segment": ("/v1/page", {"writeKey": "SITE", "userId": "ann", "properties": {"url": "URL"}}),
    "segment's page": ("/v1/track", {"writeKey": "SITE", "event": "x", "context": {"page": {"url": "URL"}}}),
    "jitsu": ("/api/s/page", {"writeKey": "SITE", "context": {"page": {"url": "URL"}}}),
    "posthog": ("/e/", {"api_key": "SITE", "event": "$pageview", "properties": {"$current_url": "URL"}}),
}
WITHOUT_HASH = [
    ("cart", "/cart"), ("./cart", "/cart"), ("../cart/", "/cart/"), ("a/../b/./c?x=1#top", "/b/c"), ("?page=2", "/"),
    ("/cart", "/cart"), (" /cart ", "/cart"), ("//shop.example/cart", "/cart"), ("//cart", "//cart"), ("", "/"),
    ("undefined", "/"), ("about:blank", "/"), ("javascript:void(0)", "/"), ("mailto:ann@shop.example", "/"),
    ("file:///android_asset/www/index.html", "/android_asset/www/index.html"), ("app://localhost/cart", "/cart"),
    ("https://shop.example", "/"), ("https://shop.example?x=1", "/"), ("https://shop.example/lamp#reviews", "/lamp"),
    ("cart#", "/cart"), ("cart#!", "/cart"),
]  # fmt: skip
WITH_HASH = [
    ("https://shop.example/#/products/lamp", "/#/products/lamp"), ("https://shop.example/app/#!/lamp", "/app/#!/lamp"),
    ("https://shop.example/?a=1#/lamp?colour=red", "/#/lamp"), ("#/cart", "/#/cart"), ("/app#/cart", "/app#/cart"),
]  # fmt: skip


def send(ingestion: httpx.Client, shop: str, kind: str, url: str, **more: Any) -> None:
    path, body = SHOPS[kind]
    content = json.dumps(body | more).replace("SITE", shop).replace('"URL"', json.dumps(url))
    assert ingestion.post(path, content=content).status_code in (200, 202)


def paths(shop: str) -> list[str]:
    return sorted(one["path"] for one in queued(shop))


@pytest.mark.parametrize("kind", SHOPS)
def test_every_url_has_the_path_that_a_browser_would_go_to(ingestion: httpx.Client, shop: str, kind: str) -> None:
    for url, _ in WITHOUT_HASH:
        send(ingestion, shop, kind, url)
    assert paths(shop) == sorted(path for _, path in WITHOUT_HASH)


@pytest.mark.parametrize("kind", [kind for kind in SHOPS if kind != "plausible"])
def test_a_route_behind_a_hash_is_of_the_path(ingestion: httpx.Client, shop: str, kind: str) -> None:
    for url, _ in WITH_HASH:
        send(ingestion, shop, kind, url)
    assert paths(shop) == sorted(path for _, path in WITH_HASH)


@pytest.mark.parametrize("member", [{"h": 1}, {"h": True}, {"hashMode": 1}, {"hashBasedRouting": True}, {"h": "1"}])
def test_plausible_says_whether_it_is(ingestion: httpx.Client, shop: str, member: dict[str, Any]) -> None:
    for url, _ in WITH_HASH:
        send(ingestion, shop, "plausible", url, **member)
    send(ingestion, shop, "plausible", "https://shop.example/lamp#reviews", **member)
    send(ingestion, shop, "plausible", "https://shop.example/lamp#", **member)
    assert paths(shop) == sorted([path for _, path in WITH_HASH] + ["/lamp#reviews", "/lamp"])


@pytest.mark.parametrize("member", [{}, {"h": 0}, {"hashBasedRouting": False}])
def test_without_plausibles_word_it_is_not(ingestion: httpx.Client, shop: str, member: dict[str, Any]) -> None:
    send(ingestion, shop, "plausible", "https://shop.example/app/#/products/lamp", **member)
    assert paths(shop) == ["/app/"]


def test_a_path_that_is_told_beside_its_url_has_the_urls_route(ingestion: httpx.Client, shop: str) -> None:
    url = "https://shop.example/app?utm_source=mail#/lamp?utm_campaign=may"
    for path in ("/app", "/lamp"):
        properties = {"$pathname": path, "$current_url": url}
        ingestion.post("/e/", json={"api_key": shop, "event": "$pageview", "properties": properties})
        page = {"writeKey": shop, "type": "page", "context": {"page": {"path": path, "url": url}}}
        ingestion.post("/v1/page", json=page)
    assert paths(shop) == ["/app#/lamp", "/app#/lamp", "/lamp", "/lamp"]
    from_segment = [one["properties"] for one in queued(shop) if "$pathname" not in one["properties"]]
    assert from_segment == [{"utm_source": "mail", "utm_campaign": "may"}] * 2
