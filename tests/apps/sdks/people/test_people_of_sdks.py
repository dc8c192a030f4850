"""A visitor who logs in is one person, whatever protocol tells of them; a second login on their device is a second."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.apps.sdks.test_sdk_endpoints import FIREFOX
from tests.conftest import Connection
from tests.system.test_sdks import stored

pytestmark = pytest.mark.usefixtures("worker")

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
#: Of one browser: the address of a request and its body.
Sent = tuple[str, dict[str, Any]]
#: What a protocol sends, by what happened, who is logged in, and when.
Protocol = Callable[[str, str, str | None, str], Sent]


def event(site: str, kind: str, user: str | None, time: str) -> Sent:
    ids = {"user_id": user, "visitor_id": "d"}
    return "/event", {"site_id": site, "event_type": kind, "path": "/", "timestamp": time, **ids}


def segment(site: str, kind: str, user: str | None, time: str) -> Sent:
    call = {"page_view": "page", "identify": "identify"}.get(kind, "track")
    ids = {"userId": user, "anonymousId": "d"}
    return "/v1/batch", {"writeKey": site, "batch": [{"type": call, "event": kind, "timestamp": time, **ids}]}


def rudderstack(site: str, kind: str, user: str | None, time: str) -> Sent:
    _, body = segment(site, kind, user, time)
    (call,) = body["batch"]
    return f"/v1/{call['type']}", call | {"writeKey": site, "userId": user or ""}


def jitsu(site: str, kind: str, user: str | None, time: str) -> Sent:
    path, body = rudderstack(site, kind, user, time)
    return path.replace("/v1/", "/api/s/"), body


def segment_alias(site: str, kind: str, user: str | None, time: str) -> Sent:
    path, body = segment(site, kind, user, time)
    (call,) = body["batch"]
    if kind == "identify":
        call |= {"type": "alias", "previousId": "d", "anonymousId": None}
    return path, body


def posthog(site: str, kind: str, user: str | None, time: str) -> Sent:
    who = {"$device_id": "d", "$is_identified": user is not None, "distinct_id": user or "d"}
    return _posthog(site, kind, who | ({"$anon_distinct_id": "d"} if kind == "identify" else {}), time)


def posthog_cookieless(site: str, kind: str, user: str | None, time: str) -> Sent:
    anybody = "$posthog_cookieless"
    linked = {"$anon_distinct_id": anybody} if kind == "identify" else {}
    return _posthog(site, kind, {"distinct_id": user or anybody} | linked, time)


def posthog_alias(site: str, kind: str, user: str | None, time: str) -> Sent:
    if kind == "identify":
        return _posthog(site, "create_alias", {"distinct_id": user, "alias": "d"}, time)
    return _posthog(site, kind, {"distinct_id": user or "d", "$process_person_profile": user is not None}, time)


def _posthog(site: str, kind: str, who: dict[str, Any], time: str) -> Sent:
    name = {"page_view": "$pageview", "identify": "$identify", "create_alias": "$create_alias"}.get(kind, kind)
    return "/e/", {"api_key": site, "event": name, "timestamp": time, "properties": who}


def umami(site: str, kind: str, user: str | None, time: str) -> Sent:
    payload = {"website": site, "url": "/", "id": user, "timestamp": datetime.fromisoformat(time).timestamp()}
    if kind == "purchase":
        payload["name"] = kind
    return "/api/send", {"type": "identify" if kind == "identify" else "event", "payload": payload}


def tracker(site: str, kind: str, user: str | None, time: str) -> Sent:
    one = {"event_type": kind, "path": "/", "user_id": user, "timestamp": time}
    return "/tracker", {"site_id": site, "events": [one]}


def tracker_with_visitor(site: str, kind: str, user: str | None, time: str) -> Sent:
    path, body = tracker(site, kind, user, time)
    body["events"][0]["visitor_id"] = "d"
    return path, body


PROTOCOLS: list[Protocol] = [
    event,
    segment,
    rudderstack,
    jitsu,
    segment_alias,
    posthog,
    posthog_cookieless,
    posthog_alias,
    umami,
    tracker,
    tracker_with_visitor,
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_who_logs_in_is_one_person_and_the_next_login_is_another(
    ingestion: httpx.Client, reporting: httpx.Client, conn: Connection, shop: str, protocol: Protocol
) -> None:
    def happens(minute: int, kind: str, user: str | None) -> None:
        path, body = protocol(shop, kind, user, (NOON + timedelta(minutes=minute)).isoformat())
        headers = {"user-agent": FIREFOX, "origin": "https://shop.example"}
        assert ingestion.post(path, json=body, headers=headers).status_code in (200, 202)

    def asked(report: str, **more: Any) -> Any:
        return reporting.get(report, params={"site_id": shop, "period": "all", **more}).json()

    happens(0, "page_view", None)
    happens(5, "identify", "ann")
    happens(10, "purchase", "ann")
    happens(15, "page_view", None)
    stored(conn, shop, count=4)
    assert reporting.get("/stats", params={"site_id": shop}).json()["unique_users"] == 1
    assert [step["users"] for step in asked("/funnel", step=["page_view", "purchase"])["steps"]] == [1, 1]
    assert asked("/sessions")["summary"]["sessions"] == 1
    happens(20, "identify", "bob")
    happens(25, "purchase", "bob")
    happens(30, "page_view", None)
    stored(conn, shop, count=7)
    assert reporting.get("/stats", params={"site_id": shop}).json()["unique_users"] == 2
    counted = {user: asked(f"/users/{user}")["ever"]["total_events"] for user in ("ann", "bob")}
    assert counted == {"ann": 5, "bob": 2}


def test_a_server_that_names_users_of_umami_is_no_visitor(
    ingestion: httpx.Client, reporting: httpx.Client, conn: Connection, shop: str
) -> None:
    """Its address is that of all whom it tells of: nobody's views become those of the first user that it names."""
    for user in (None, "ann", None, "bob"):
        path, body = umami(shop, "page_view", user, NOON.isoformat())
        assert ingestion.post(path, json=body, headers={"user-agent": "axios/1.7"}).status_code == 200
    assert len({one["user_id"] for one in stored(conn, shop, count=4)}) == 3
    stats = reporting.get("/stats", params={"site_id": shop}).json()
    assert stats["unique_users"] == 3
