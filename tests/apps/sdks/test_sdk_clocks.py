"""Clocks that are wrong: when an event of an SDK happened, by when its clock says that it was sent."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from db.events.event import LAST_MILLISECOND
from tests.servers.queue import queued

#: By how much clocks are ahead.
AHEAD = [timedelta(days=3), timedelta(days=-400), timedelta(minutes=5), timedelta(hours=-1)]
#: Before it is sent.
AGO = timedelta(minutes=20)
#: What a test may take.
SOON = timedelta(seconds=5)


def uuid7(time: datetime) -> str:
    milliseconds = f"{round(time.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}-7000-8000-000000000001"


def request(kind: str, site: str, sent_at: Any, happened: datetime) -> tuple[str, Any]:
    """A path and a body; `sent_at` is a datetime, or what no clock says."""
    at = sent_at.isoformat() if isinstance(sent_at, datetime) else sent_at
    milliseconds = round(sent_at.timestamp() * 1000) if isinstance(sent_at, datetime) else sent_at
    time = happened.isoformat()
    track = {"type": "track", "event": "x", "userId": "ann"}
    capture = {"event": "x", "distinct_id": "ann", "timestamp": time}
    undated = {"event": "x", "distinct_id": "ann", "uuid": uuid7(happened)}
    return {
        "segment": ("/v1/batch", {"writeKey": site, "sentAt": at, "batch": [track | {"timestamp": time}]}),
        "rudderstack node": (
            "/v1/batch",
            {"writeKey": site, "batch": [track | {"originalTimestamp": time, "sentAt": at}]},
        ),
        "segment browser": ("/v1/t", track | {"writeKey": site, "sentAt": at, "timestamp": time}),
        "jitsu": ("/api/s/track", track | {"writeKey": site, "sentAt": at, "timestamp": time}),
        "posthog": ("/batch/", {"api_key": site, "sent_at": at, "batch": [capture]}),
        "posthog single": ("/e/", capture | {"api_key": site, "sent_at": at}),
        "posthog by query": (f"/e/?sent_at={milliseconds}", capture | {"api_key": site}),
        "posthog by the id's time": ("/e/", {"api_key": site, "sent_at": at, "batch": [undated]}),
        "tracker": (
            "/tracker",
            {
                "site_id": site,
                "sent_at": milliseconds,
                "events": [{"event_type": "x", "path": "/", "timestamp": round(happened.timestamp() * 1000)}],
            },
        ),
    }[kind]


KINDS = [
    "segment", "rudderstack node", "segment browser", "jitsu",
    "posthog", "posthog single", "posthog by query", "posthog by the id's time", "tracker",
]  # fmt: skip


NO_CLOCK: list[Any] = [
    None, "", "yesterday", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "2000-13",
    -1, 1e300, 2**70, True, [1], {"a": 1}, 1767323045,
]  # fmt: skip


def times(site: str) -> list[datetime]:
    return [datetime.fromisoformat(one["timestamp"]) for one in queued(site)]


def send(ingestion: httpx.Client, kind: str, site: str, sent_at: Any, happened: datetime, **headers: str) -> None:
    path, body = request(kind, site, sent_at, happened)
    assert ingestion.post(path, content=json.dumps(body), headers=headers).status_code in (200, 202)


@pytest.mark.parametrize("ahead", AHEAD, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_clock_is_corrected(ingestion: httpx.Client, shop: str, kind: str, ahead: timedelta) -> None:
    now = datetime.now(UTC)
    send(ingestion, kind, shop, now + ahead, now + ahead - AGO)
    (time,) = times(shop)
    assert abs(time - (now - AGO)) < SOON


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_clock_is_not(ingestion: httpx.Client, shop: str, kind: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    imported = now - timedelta(days=500)
    for happened in (now - AGO, imported):
        send(ingestion, kind, shop, now - timedelta(seconds=2), happened)
    assert sorted(times(shop)) == [imported, now - AGO]


@pytest.mark.parametrize("kind", KINDS)
def test_what_no_clock_says_is_ignored(ingestion: httpx.Client, shop: str, kind: str) -> None:
    happened = datetime.now(UTC).replace(microsecond=0) - AGO
    for sent_at in NO_CLOCK:
        send(ingestion, kind, shop, sent_at, happened)
    assert times(shop) == [happened] * len(NO_CLOCK)


def test_what_a_server_has_received_before_is_corrected_already(ingestion: httpx.Client, shop: str) -> None:
    then = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)
    message = {"type": "page", "userId": "ann", "timestamp": then.isoformat(), "receivedAt": then.isoformat()}
    batch = [message | {"sentAt": (then + timedelta(hours=1)).isoformat()}]
    ingestion.post("/v1/import", json={"writeKey": shop, "batch": batch})
    assert times(shop) == [then]


@pytest.mark.parametrize("form", ["gzip", "base64"])
def test_posthog_says_how_long_ago_what_has_no_time_was(ingestion: httpx.Client, shop: str, form: str) -> None:
    event = {"event": "x", "offset": 90_000.0, "properties": {"token": shop, "distinct_id": "ann"}}
    content = json.dumps([event]).encode()
    body = gzip.compress(content) if form == "gzip" else b"data=" + base64.b64encode(content)
    now = datetime.now(UTC)
    ingestion.post("/e/?ip=0", content=body)
    (time,) = times(shop)
    assert abs(time - (now - timedelta(seconds=90))) < SOON


@pytest.mark.parametrize("offset", [10**14, LAST_MILLISECOND, -1, 1e300, "soon", True])
def test_an_offset_that_cannot_be_is_ignored(ingestion: httpx.Client, shop: str, offset: object) -> None:
    now = datetime.now(UTC)
    event = {"event": "x", "offset": offset, "properties": {"token": shop, "distinct_id": "ann"}}
    assert ingestion.post("/batch", json={"api_key": shop, "batch": [event]}).status_code == 200
    (time,) = times(shop)
    assert abs(time - now) < SOON


def test_the_newer_protocol_of_posthog_says_it_in_a_header(ingestion: httpx.Client, shop: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    wrong = now + timedelta(days=2)
    event: dict[str, Any] = {"event": "x", "distinct_id": "ann", "timestamp": (wrong - AGO).isoformat()}
    right = {"event": "x", "distinct_id": "ann", "timestamp": "2026-01-02T03:04:05Z"}
    batch = [
        event,
        right | {"properties": {"$ignore_sent_at": True}},
        right | {"options": {"disable_skew_correction": True}},
    ]
    ingestion.post(
        "/i/v1/analytics/events",
        json={"batch": batch},
        headers={"authorization": f"Bearer {shop}", "posthog-request-timestamp": wrong.isoformat()},
    )
    *others, corrected = sorted(times(shop))
    assert abs(corrected - (now - AGO)) < SOON
    assert others == [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)] * 2
