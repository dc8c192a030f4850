"""Servers that report for their visitors: what they say of address, browser, time and id is taken."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from apps.sdks.shared.caller import Caller, caller_of
from apps.sdks.shared.sdk_event import SentEvent
from apps.sdks.shared.to_event import visitor_of_day
from tests.apps.sdks.test_sdk_endpoints import FIREFOX
from tests.apps.sdks.test_sdk_visitors import GOOGLEBOT, SERVER
from tests.servers.queue import queued

#: By protocol, an event as a server reports it: of the address ADDRESS and the browser AGENT.
REPORTS: dict[str, tuple[str, Any]] = {
    "umami": (
        "/api/send",
        {"type": "event", "payload": {"website": "SITE", "url": "/", "ip": "ADDRESS", "userAgent": "AGENT"}},
    ),
    "segment": (
        "/v1/batch",
        {"writeKey": "SITE", "batch": [{"type": "page", "context": {"ip": "ADDRESS", "userAgent": "AGENT"}}]},
    ),
    "jitsu": (
        "/api/s/s2s/page",
        {"writeKey": "SITE", "type": "page", "context": {"ip": "ADDRESS", "userAgent": "AGENT"}},
    ),
    "posthog": (
        "/batch/",
        {
            "api_key": "SITE",
            "batch": [{"event": "$pageview", "properties": {"$ip": "ADDRESS", "$raw_user_agent": "AGENT"}}],
        },
    ),
}
kinds = pytest.mark.parametrize("kind", REPORTS)


def report(ingestion: httpx.Client, kind: str, site: str, address: str, agent: str = FIREFOX) -> None:
    path, body = REPORTS[kind]
    content = json.dumps(body).replace("SITE", site).replace("ADDRESS", address).replace("AGENT", agent)
    assert ingestion.post(path, content=content, headers={"user-agent": SERVER}).status_code == 200


@kinds
def test_each_visitor_that_a_server_reports_is_one(ingestion: httpx.Client, shop: str, kind: str) -> None:
    for address in ("203.0.113.1", "203.0.113.2", "2001:db8::1", "::ffff:203.0.113.1", "203.0.113.1, 10.0.0.1"):
        report(ingestion, kind, shop, address)
    report(ingestion, kind, shop, "203.0.113.1", FIREFOX + " again")
    events = queued(shop)
    assert len({one["visitor_id"] for one in events}) == 4
    assert all(one["visitor_id"].startswith("daily-") and "user_id" not in one for one in events)
    assert not [part for part in ("203.0.113", "2001:db8") if part in str(events)]


@kinds
def test_what_is_no_address_makes_no_visitor(ingestion: httpx.Client, shop: str, kind: str) -> None:
    for address in ("", "unknown", "0.0.0.0", "::", "999.1.1.1", "shop.example", "x" * 10_000):  # noqa: S104
        report(ingestion, kind, shop, address)
    # Umami's visitor is then who sent it.
    assert len({one.get("visitor_id") for one in queued(shop)}) == 1


@kinds
def test_a_bot_that_a_server_reports_is_one(ingestion: httpx.Client, shop: str, kind: str) -> None:
    report(ingestion, kind, shop, "203.0.113.1", GOOGLEBOT)
    assert queued(shop) == []


def test_who_has_an_id_is_that_whatever_the_address(ingestion: httpx.Client, shop: str) -> None:
    for address in ("203.0.113.1", "203.0.113.2"):
        payload = {"website": shop, "url": "/", "ip": address, "id": "ann"}
        ingestion.post("/api/send", json={"type": "event", "payload": payload})
        call = {"writeKey": shop, "type": "page", "userId": "ann", "context": {"ip": address}}
        ingestion.post("/v1/page", json=call)
        capture = {"api_key": shop, "event": "$pageview", "distinct_id": "ann", "properties": {"$ip": address}}
        ingestion.post("/e/", json=capture)
    assert [one["user_id"] for one in queued(shop)] == ["ann"] * 6
    # No visitor of the day is linked to them: without a key anybody may claim an address.
    assert not any("visitor_id" in one for one in queued(shop))


def test_posthogs_visitors_without_a_cookie_are_told_apart(ingestion: httpx.Client, shop: str) -> None:
    event = {"api_key": shop, "event": "$pageview", "distinct_id": "$posthog_cookieless"}
    for agent in (FIREFOX, FIREFOX, FIREFOX + " again"):
        ingestion.post("/e/", json=event, headers={"user-agent": agent})
    visitors = [one["visitor_id"] for one in queued(shop)]
    assert (len(visitors), len(set(visitors))) == (3, 2)
    assert all(visitor.startswith("daily-") for visitor in visitors)


THEN = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "given", [1773144000, "1773144000", 1773144000.0, 1773144000000, "2026-03-10T12:00:00Z"], ids=repr
)
def test_history_that_umami_is_told_is_of_its_own_day(ingestion: httpx.Client, shop: str, given: Any) -> None:
    payload = {"website": shop, "url": "/lamp", "timestamp": given}
    ingestion.post("/api/send", json={"type": "event", "payload": payload})
    (event,) = queued(shop)
    assert datetime.fromisoformat(event["timestamp"]) == THEN


@pytest.mark.parametrize("given", [None, 0, ""])
def test_without_a_time_it_is_now(ingestion: httpx.Client, shop: str, given: Any) -> None:
    payload = {"website": shop, "url": "/lamp", "timestamp": given}
    ingestion.post("/api/send", json={"type": "event", "payload": payload})
    (event,) = queued(shop)
    assert datetime.now(UTC) - datetime.fromisoformat(event["timestamp"]) < timedelta(minutes=1)


@pytest.mark.parametrize("given", ["tomorrow", -1, 1.5, True, [1], {"a": 1}, 1e300, 99999999999999999, 4102444800])
def test_what_is_no_time_is_not_replaced_by_a_guess(ingestion: httpx.Client, shop: str, given: Any) -> None:
    payload = {"website": shop, "url": "/lamp", "timestamp": given}
    assert ingestion.post("/api/send", json={"type": "event", "payload": payload}).status_code == 200
    assert queued(shop) == []


def test_a_visitor_is_another_one_on_each_day_of_history(ingestion: httpx.Client, shop: str) -> None:
    for hours in (0, 1, 24, 25, 48):
        payload = {"website": shop, "url": "/", "ip": "203.0.113.1", "timestamp": THEN.timestamp() + hours * 3600}
        ingestion.post("/api/send", json={"type": "event", "payload": payload}, headers={"user-agent": FIREFOX})
    assert len({one["visitor_id"] for one in queued(shop)}) == 3


#: One browser, by itself and as somebody claims it.
ITS_ADDRESS = "203.0.113.77"
BY_ITSELF = caller_of({"headers": [(b"user-agent", FIREFOX.encode())], "client": (ITS_ADDRESS, 1)})
ELSEWHERE = caller_of({"headers": [(b"user-agent", b"curl")], "client": ("198.51.100.1", 1)})


def visitor(caller: Caller, *, trusted: bool, address: str | None = None, user: str | None = None) -> str | None:
    sent = SentEvent(key="shop", event_type="page_view", path="/", user_id=user, address=address, user_agent=FIREFOX)
    return visitor_of_day(b"salt", "shop", sent, caller, trusted=trusted, time=None, now=THEN)


def test_who_claims_the_address_of_another_is_not_taken_for_them() -> None:
    theirs = visitor(BY_ITSELF, trusted=False)
    claimed = visitor(ELSEWHERE, trusted=False, address=ITS_ADDRESS)
    assert theirs is not None
    assert claimed is not None
    assert claimed != theirs
    # What a server reports without a key is of one visitor, but whoever logs in is not linked to it.
    assert visitor(ELSEWHERE, trusted=False, address=ITS_ADDRESS) == claimed
    assert visitor(ELSEWHERE, trusted=False, address=ITS_ADDRESS, user="mallory") is None
    # Their own address is no claim, and a secret key is believed.
    assert visitor(BY_ITSELF, trusted=False, address=ITS_ADDRESS, user="ann") == theirs
    assert visitor(ELSEWHERE, trusted=True, address=ITS_ADDRESS, user="ann") == theirs


def test_a_user_whose_address_is_claimed_has_no_visitor(ingestion: httpx.Client, shop: str) -> None:
    for kind in ("event", "identify"):
        payload = {"website": shop, "url": "/", "ip": ITS_ADDRESS, "userAgent": FIREFOX, "id": "mallory"}
        ingestion.post("/api/send", json={"type": kind, "payload": payload})
    events = queued(shop)
    assert [(one["user_id"], one.get("visitor_id")) for one in events] == [("mallory", None)] * 2
