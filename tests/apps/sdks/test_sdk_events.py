"""What each SDK sends, as it was seen on the wire, and the event of ours that it becomes."""

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from tests.servers.queue import queued

AT = "2026-03-10T12:00:00.123Z"
JSON = "application/json"


def basic(key: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def sent(ingestion: httpx.Client, path: str, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = ingestion.post(path, content=content, headers={name.replace("_", "-"): headers[name] for name in headers})
    assert answer.status_code in (200, 202), answer.text
    return answer


def only(site: str) -> dict[str, Any]:
    """The only event of a site, without what the server has made."""
    (event,) = queued(site)
    del event["site_id"], event["received_at"]
    event.pop("id_made", None)
    return event


FROM_MAIL = {"source": "mail", "referrer": "r.example", "channel": "Email"}
TRACK = {
    "type": "track",
    "event": "Order Completed",
    "userId": "ann",
    "anonymousId": None,
    "timestamp": AT,
    "messageId": "b2c0f7f0-8a57-4d3c-9f51-0f6a4f3d8e11",
    "properties": {"revenue": 119.9, "currency": "EUR", "products": [{"sku": "lamp-3", "price": 119.9}]},
    "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
    "integrations": {},
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {}),
        ({"userId": None, "anonymousId": "a-1"}, {"user_id": None, "visitor_id": "a-1"}),
        ({"userId": "", "anonymousId": "a-1"}, {"user_id": None, "visitor_id": "a-1"}),
        ({"anonymousId": "a-1"}, {"visitor_id": "a-1"}),
        ({"userId": 17}, {"user_id": "17"}),
        ({"messageId": "B2C0F7F0-8A57-4D3C-9F51-0F6A4F3D8E11"}, {}),
        ({"timestamp": None, "originalTimestamp": AT}, {}),
        ({"timestamp": "2026-03-10T13:00:00.123456+01:00"}, {"timestamp": "2026-03-10T12:00:00.123456Z"}),
        ({"timestamp": "2026-03-10T12:00:00.123"}, {}),
        ({"type": "page", "event": None}, {"event_type": "page_view"}),
        ({"type": "screen", "name": "Home"}, {"event_type": "screen", "properties": {"name": "Home"}}),
        (
            {"type": "identify", "traits": {"plan": 1}},
            {"event_type": "identify", "properties": {"traits": {"plan": 1}}},
        ),
        (
            {"type": "identify", "context": {"traits": {"plan": 1}}},
            {"event_type": "identify", "properties": {"traits": {"plan": 1}}},
        ),
        ({"type": "group", "groupId": "g"}, {"event_type": "group", "properties": {"groupId": "g"}}),
        (
            {"type": "alias", "previousId": "p", "anonymousId": "a-1"},
            {"event_type": "alias", "visitor_id": "p", "properties": {"previousId": "p"}},
        ),
        ({"type": "group", "anonymousId": 7}, {"event_type": "group", "visitor_id": "7"}),
        ({"context": {"page": {"path": "/lamp"}}}, {"path": "/lamp"}),
        ({"context": {"page": {"url": "https://shop.example/lamp?a=1"}}}, {"path": "/lamp"}),
        (
            {"properties": {"path": "/a?b", "url": "https://x/y"}},
            {"path": "/a", "properties": {"path": "/a?b", "url": "https://x/y"}},
        ),
        (
            {"context": {"page": {"search": "?utm_source=mail&q=1", "referrer": "https://r.example/"}}},
            {"properties": {"utm_source": "mail", "referrer": "https://r.example/"}, "origin": FROM_MAIL},
        ),
        ({"somethingNew": {"deep": [1]}, "context": {"somethingNew": True}}, {}),
    ],
    ids=str,
)
def test_segment(ingestion: httpx.Client, shop: str, change: dict[str, Any], expected: dict[str, Any]) -> None:
    sent(ingestion, "/v1/batch", {"batch": [TRACK | change], "sentAt": datetime.now(UTC).isoformat()}, **basic(shop))
    properties = TRACK["properties"] | expected.pop("properties", {}) if "properties" not in change else None
    usual = {
        "event_type": "Order Completed",
        "path": "/",
        "user_id": "ann",
        "timestamp": "2026-03-10T12:00:00.123000Z",
        "event_id": "b2c0f7f0-8a57-4d3c-9f51-0f6a4f3d8e11",
        "properties": properties,
    }
    assert only(shop) == {name: value for name, value in (usual | expected).items() if value is not None}


@pytest.mark.parametrize(
    "path", ["/v1/b", "/v1/import", "/v1/batch/", "/v1/t", "/v1/track", "/api/s/track", "/api/s/s2s/track"]
)
@pytest.mark.parametrize("where", ["basic", "write key", "body", "event"])
def test_the_key_of_segment_travels_in_many_ways(ingestion: httpx.Client, shop: str, path: str, where: str) -> None:
    headers = basic(shop) if where == "basic" else {"x_write_key": f"{shop}:secret"} if where == "write key" else {}
    event = TRACK | ({"writeKey": shop} if where == "event" else {})
    body: Any = event if path.rstrip("/").endswith(("/t", "/track")) else {"batch": [event]}
    if where == "body":
        body = body | {"writeKey": shop}
    answer = sent(ingestion, path, body, content_type="text/plain", **headers)
    assert answer.text == ('{"ok":true}' if path.startswith("/api/s") else '{"success":true}')
    assert only(shop)["event_type"] == "Order Completed"


def test_the_url_says_what_an_event_without_a_type_is(ingestion: httpx.Client, shop: str) -> None:
    for letter in "pigas":
        sent(ingestion, f"/v1/{letter}", {"writeKey": shop, "userId": "ann"})
    assert {one["event_type"] for one in queued(shop)} == {"page_view", "identify", "group", "alias", "screen"}


def test_gzip_in_a_form_is_read(ingestion: httpx.Client, shop: str) -> None:
    body = gzip.compress(json.dumps({"batch": [TRACK]}).encode())
    sent(ingestion, "/v1/batch", body, content_type="application/x-www-form-urlencoded", **basic(shop))
    assert only(shop)["user_id"] == "ann"


CAPTURE = {
    "event": "$pageview",
    "uuid": "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f",
    "distinct_id": "ann",
    "timestamp": AT,
    "properties": {"$current_url": "https://shop.example/lamp?a=1", "token": "shop", "$ip": "203.0.113.7"},
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {}),
        ({"distinct_id": None, "properties": {"distinct_id": "ann", "$pathname": "/lamp"}}, {}),
        ({"event": "$screen"}, {"event_type": "screen"}),
        ({"event": "$set", "$set": {"plan": 1}}, {"event_type": "identify"}),
        ({"event": "$identify"}, {"event_type": "identify"}),
        ({"event": "$create_alias"}, {"event_type": "alias"}),
        ({"event": "$groupidentify"}, {"event_type": "group"}),
        ({"event": "purchase"}, {"event_type": "purchase"}),
        ({"properties": None}, {"path": "/"}),
        # posthog-js 1.449 leaves it to the id, which has a time inside.
        ({"timestamp": None}, {"timestamp": "2026-01-02T03:04:05.678000Z"}),
    ],
    ids=str,
)
def test_posthog(ingestion: httpx.Client, shop: str, change: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sent(ingestion, "/batch/", {"api_key": shop, "batch": [CAPTURE | change]}).text == '{"status":1}'
    event = only(shop)
    properties = event.pop("properties", {})
    assert not {"token", "$ip"} & set(properties)
    usual = {
        "event_type": "page_view",
        "path": "/lamp",
        "user_id": "ann",
        "timestamp": "2026-03-10T12:00:00.123000Z",
        "event_id": "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f",
    }
    assert event == usual | expected


IDENTIFIED = {"$device_id": "d", "$is_identified": True, "$user_id": "ann"}


@pytest.mark.parametrize(
    ("event", "properties", "user", "visitor"),
    [
        # posthog-js: a visitor, who logs in, who is known, after reset(), which keeps the device, and a second login.
        ({"distinct_id": "d"}, {"$device_id": "d", "$is_identified": False}, None, "d"),
        ({"event": "$identify"}, IDENTIFIED | {"$anon_distinct_id": "d"}, "ann", "d"),
        ({}, IDENTIFIED, "ann", "d"),
        ({"distinct_id": "e"}, {"$device_id": "d", "$is_identified": False}, None, "e"),
        ({"event": "$identify", "distinct_id": "bob"}, {"$device_id": "d", "$anon_distinct_id": "e"}, "bob", "e"),
        # Older ones do not say who is identified.
        ({"distinct_id": "d"}, {"$device_id": "d"}, None, "d"),
        ({}, {"$device_id": "d"}, "ann", "d"),
        ({"distinct_id": "e"}, {"$device_id": "d", "$user_id": "ann"}, None, "e"),
        ({}, {"$process_person_profile": False, "$user_id": "ann"}, "ann", None),
        # Servers: a user, an id that they made up, in the newer protocol too, and what links the two.
        ({}, {}, "ann", None),
        ({"distinct_id": "r"}, {"$process_person_profile": False}, None, "r"),
        ({"distinct_id": "r", "options": {"process_person_profile": False}}, {}, None, "r"),
        ({"event": "$identify"}, {"$anon_distinct_id": "r"}, "ann", "r"),
        ({"event": "$identify"}, {}, "ann", None),
        ({"event": "$create_alias"}, {"distinct_id": "ann", "alias": "r"}, "ann", "r"),
        # posthog.alias("ann") of a visitor, and of a user.
        ({"event": "$create_alias", "distinct_id": "d"}, {"alias": "ann", "$is_identified": False}, "ann", "d"),
        ({"event": "$create_alias"}, {"alias": "ann 2", "$is_identified": True}, "ann", "ann 2"),
        # Without a cookie.
        ({"distinct_id": "$posthog_cookieless"}, {"$is_identified": False}, None, "daily"),
        ({"event": "$identify"}, {"$anon_distinct_id": "$posthog_cookieless"}, "ann", "daily"),
        # Nonsense.
        ({"distinct_id": "null"}, {"$device_id": "undefined", "$is_identified": "no"}, None, None),
        ({"distinct_id": {}}, {"$device_id": 7, "$is_identified": True}, None, "7"),
    ],
    ids=str,
)
def test_whom_posthog_means(
    ingestion: httpx.Client, shop: str, event: Any, properties: Any, user: str | None, visitor: str | None
) -> None:
    sent(ingestion, "/batch", {"api_key": shop, "batch": [CAPTURE | {"properties": properties} | event]})
    found = only(shop)
    given = found.get("visitor_id")
    assert (found.get("user_id"), given and given.partition("-")[0]) == (user, visitor)


@pytest.mark.parametrize("path", ["/batch", "/e/?ip=1&ver=1", "/e", "/capture/", "/i/v0/e/"])
@pytest.mark.parametrize("form", ["batch", "single", "list", "gzip", "base64", "bearer"])
def test_the_forms_of_posthog(ingestion: httpx.Client, shop: str, path: str, form: str) -> None:
    event = CAPTURE | {"properties": CAPTURE["properties"] | {"token": shop}}  # type: ignore[operator]
    bodies: dict[str, Any] = {
        "batch": {"api_key": shop, "batch": [CAPTURE], "sent_at": AT},
        "single": event,
        "list": [event],
        "gzip": gzip.compress(json.dumps([event]).encode()),
        "base64": b"data=" + quote(base64.b64encode(json.dumps(event).encode())).encode(),
        "bearer": {"batch": [{**CAPTURE, "properties": {"$pathname": "/lamp"}}]},
    }
    headers = {"authorization": f"Bearer {shop}"} if form == "bearer" else {}
    sent(ingestion, path, bodies[form], content_type="text/plain", **headers)
    assert only(shop)["path"] == "/lamp"


def test_the_newer_protocol_of_posthog_is_told_what_became_of_each_event(ingestion: httpx.Client, shop: str) -> None:
    bad, undated = str(uuid4()), str(uuid4())
    batch = [
        CAPTURE,
        {**CAPTURE, "uuid": bad, "timestamp": "2126-01-01T00:00:00Z"},
        {**CAPTURE, "uuid": undated, "event": 7},
    ]
    answer = sent(ingestion, "/i/v1/analytics/events", {"batch": batch}, authorization=f"Bearer {shop}").json()
    assert answer == {
        "results": {CAPTURE["uuid"]: {"result": "ok"}, bad: {"result": "drop"}, undated: {"result": "drop"}}
    }
