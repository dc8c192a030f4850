"""What pages without an SDK are given: the script, and an image where scripts are off."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.apps.monitoring.test_health import without_redis
from tests.apps.monitoring.test_metrics import Change, change
from tests.apps.sdks.test_sdk_endpoints import FIREFOX, dropped
from tests.apps.sdks.test_sdk_visitors import GOOGLEBOT
from tests.servers.queue import queued

__all__ = ["change", "without_redis"]

GIF = b"GIF89a\x01\x00\x01\x00"
#: How the shop's page asks for the image.
ON_A_PAGE = {"user-agent": FIREFOX, "referer": "https://shop.example/products/lamp?utm_source=letter&token=secret"}
ONE: dict[str, Any] = {
    "event_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "timestamp": 1767323045678,
    "event_type": "add_to_cart",
    "path": "/products/lamp",
    "properties": {"sku": "lamp-3"},
}


def sent(ingestion: httpx.Client, site: str, *events: Any) -> httpx.Response:
    return ingestion.post("/tracker", json={"site_id": site, "events": events}, headers={"user-agent": FIREFOX})


def test_the_script_is_less_than_2_kb(ingestion: httpx.Client) -> None:
    answer = ingestion.get("/tracker.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(answer.headers["content-length"]) < 2_000
    plain = ingestion.get("/tracker.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content


def test_the_script_is_asked_for_again_only_when_it_has_changed(ingestion: httpx.Client) -> None:
    answer = ingestion.get("/tracker.js")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    again = ingestion.get("/tracker.js", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert ingestion.get("/tracker.js", headers={"if-none-match": '"another"'}).content == answer.content


def test_pages_on_any_origin_may_have_the_script_and_the_image(ingestion: httpx.Client) -> None:
    for path in ("/tracker.js", "/pixel.gif"):
        assert ingestion.get(path).headers["cross-origin-resource-policy"] == "cross-origin"
    assert ingestion.get("/tracker.js").headers["access-control-allow-origin"] == "*"


def test_what_the_script_sends_becomes_an_event_of_the_visitor(ingestion: httpx.Client, shop: str) -> None:
    assert sent(ingestion, shop, ONE).json() == {"status": "queued"}
    (event,) = queued(shop)
    assert UUID(event["event_id"]) == UUID(ONE["event_id"])
    assert event["timestamp"] == "2026-01-02T03:04:05.678000Z"
    assert (event["event_type"], event["path"], event["properties"]) == (
        "add_to_cart",
        "/products/lamp",
        {"sku": "lamp-3"},
    )
    assert event["visitor_id"].startswith("daily-")


def test_the_page_may_name_the_user_and_the_visitor(ingestion: httpx.Client, shop: str) -> None:
    sent(ingestion, shop, *(ONE | {"user_id": user} for user in ("ann", 17, "")), ONE | {"visitor_id": 7})
    found = [(one.get("user_id"), one["visitor_id"]) for one in queued(shop)]
    daily = found[0][1]
    assert daily.startswith("daily-")
    assert found == [("ann", daily), ("17", daily), (None, daily), (None, "7")]


def test_an_event_of_the_script_without_a_path_or_a_type_is_dropped(
    ingestion: httpx.Client, shop: str, change: Change
) -> None:
    assert sent(ingestion, shop, {"event_type": "x"}, {"path": "/"}, 7, ONE).status_code == 202
    assert len(queued(shop)) == 1
    changed = change()
    assert {reason: changed[dropped("tracker", reason)] for reason in ("path", "event_type", "event")} == {
        "path": 1,
        "event_type": 1,
        "event": 1,
    }


def test_the_image_is_a_page_view_of_the_page_that_it_is_in(ingestion: httpx.Client, shop: str) -> None:
    answer = ingestion.get("/pixel.gif", params={"site": shop}, headers=ON_A_PAGE)
    assert (answer.status_code, answer.headers["content-type"], len(answer.content)) == (200, "image/gif", 43)
    assert answer.headers["cache-control"] == "no-store"
    (event,) = queued(shop)
    assert (event["event_type"], event["path"]) == ("page_view", "/products/lamp")
    assert event["properties"] == {"utm_source": "letter"}
    assert event["visitor_id"].startswith("daily-")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/products/chair", "/products/chair"),
        ("/products/chair?colour=red#top", "/products/chair"),
        ("https://shop.example/products/chair?colour=red", "/products/chair"),
        ("chair", "/chair"),
        ("#/chair", "/#/chair"),
        ("", "/products/lamp"),
    ],
)
def test_the_path_that_the_image_is_given_goes_first(ingestion: httpx.Client, shop: str, given: str, path: str) -> None:
    ingestion.get("/pixel.gif", params={"site": shop, "path": given}, headers=ON_A_PAGE)
    assert [one["path"] for one in queued(shop)] == [path]


@pytest.mark.parametrize(
    ("query", "headers", "reason"),
    [
        ("path=/", {}, "key"),
        ("site=SITE", {}, "path"),
        ("site=SITE", {"referer": "about:blank"}, "path"),
        ("site=SITE&path=/", {"user-agent": GOOGLEBOT}, "bot"),
    ],
)
def test_a_page_view_that_cannot_be_taken_is_counted_and_the_image_is_there_all_the_same(
    ingestion: httpx.Client, shop: str, change: Change, query: str, headers: dict[str, str], reason: str
) -> None:
    answer = ingestion.get(f"/pixel.gif?{query.replace('SITE', shop)}", headers=headers)
    assert (answer.status_code, answer.content[:10]) == (200, GIF)
    assert change()[dropped("pixel", reason)] == 1
    assert queued(shop) == []


@pytest.mark.usefixtures("without_redis")
def test_without_redis_the_image_says_that_it_was_not_counted(ingestion: httpx.Client, shop: str) -> None:
    answer = ingestion.get("/pixel.gif", params={"site": shop, "path": "/"})
    assert (answer.status_code, answer.content[:10], answer.headers["retry-after"]) == (503, GIF, "1")
