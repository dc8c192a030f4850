"""What SDKs are answered, and what is done with keys, bots, visitors and events that come again."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from apps.sdks.shared.resources import SdkResources
from apps.sdks.shared.site_keys import Keys
from tests.apps.monitoring.test_health import without_redis
from tests.apps.monitoring.test_metrics import Change, change, refused
from tests.servers.queue import queued

__all__ = ["change", "without_redis"]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"

#: An event for each endpoint, of site "SITE".
EVENTS: dict[str, Any] = {
    "/v1/batch": {"writeKey": "SITE", "batch": [{"type": "track", "event": "x"}]},
    "/v1/track": {"writeKey": "SITE", "event": "x"},
    "/api/s/track": {"writeKey": "SITE", "event": "x"},
    "/batch": {"api_key": "SITE", "batch": [{"event": "x"}]},
    "/i/v1/analytics/events": {"api_key": "SITE", "batch": [{"event": "x"}]},
    "/api/event": {"d": "SITE", "n": "x", "u": "https://shop.example/"},
    "/api/send": {"type": "event", "payload": {"website": "SITE", "name": "x"}},
    "/api/batch": [{"type": "event", "payload": {"website": "SITE", "name": "x"}}],
    "/api/s/s2s/batch": {"writeKey": "SITE", "batch": [{"type": "track", "event": "x"}]},
    "/tracker": {"site_id": "SITE", "events": [{"event_type": "x", "path": "/"}]},
}
#: Those that answer 202 instead of 200.
ACCEPTED = ("/api/event", "/tracker")
paths = pytest.mark.parametrize("path", EVENTS)


def body_for(path: str, site: str) -> bytes:
    return json.dumps(EVENTS[path]).replace("SITE", site).encode()


def post(ingestion: httpx.Client, path: str, site: str, user_agent: str = FIREFOX) -> httpx.Response:
    return ingestion.post(path, content=body_for(path, site), headers={"user-agent": user_agent})


def dropped(protocol: str, reason: str) -> str:
    return f"tjra_sdk_events_dropped_total{{protocol={protocol}}}{{reason={reason}}}"


@pytest.fixture
def site_keys(sdk_resources: SdkResources, monkeypatch: pytest.MonkeyPatch, shop: str) -> str:
    """A setting with a key of our site."""
    monkeypatch.setattr(sdk_resources, "keys", Keys(f"other-key=other, {shop}-key = {shop}"))
    return f"{shop}-key"


@paths
def test_an_answer_is_one_line_and_names_the_message(ingestion: httpx.Client, shop: str, path: str) -> None:
    answer = post(ingestion, path, shop)
    assert answer.status_code == (202 if path in ACCEPTED else 200)
    assert answer.text == "ok" or isinstance(answer.json(), dict)
    assert "\n" not in answer.text
    assert answer.headers["x-message-id"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len(queued(shop)) == 1


@paths
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "invalid_request"),
        (b"7", 400, "invalid_request"),
        (b'{"batch":[}]', 400, "invalid_request"),
        (b"", 400, "invalid_request"),
        (b'{"a":' * 100_000, 400, "invalid_request"),
        (b"\xff\xfe", 400, "invalid_request"),
        (b"\x1f\x8b\x08garbage", 400, "invalid_request"),
        (gzip.compress(b" " * (8 * 1024 * 1024 + 1)), 413, "too_large"),
    ],
    ids=["cut", "a number", "wrong brackets", "nothing", "deep", "no UTF-8", "no gzip", "gzip bomb"],
)
def test_a_body_that_cannot_be_read_is_refused_in_words_that_sdks_understand(
    ingestion: httpx.Client, path: str, content: bytes, status: int, code: str
) -> None:
    answer = ingestion.post(path, content=content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_other_refusals_have_these_words_too(ingestion: httpx.Client) -> None:
    for path, headers, status in (("/v1/nothing", {}, 404), ("/v1/batch", {"content-encoding": "br"}, 415)):
        answer = ingestion.post(path, json={}, headers=headers)
        assert (answer.status_code, set(answer.json())) == (status, {"code", "message"})


def test_a_request_may_have_2500_events(ingestion: httpx.Client, shop: str, change: Change) -> None:
    batch = {"writeKey": shop, "batch": [{"type": "page"}] * 2500}
    assert ingestion.post("/v1/batch", json=batch).status_code == 200
    assert change()["tjra_events_accepted_total"] == 2500
    batch["batch"] = [{"type": "page"}] * 2501
    assert ingestion.post("/v1/batch", json=batch).status_code == 413


@pytest.mark.usefixtures("without_redis")
@paths
def test_without_redis_the_answer_is_503_and_when_to_come_back(ingestion: httpx.Client, shop: str, path: str) -> None:
    answer = post(ingestion, path, shop)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


def test_a_bad_event_is_dropped_and_counted_and_its_neighbours_are_taken(
    ingestion: httpx.Client, shop: str, change: Change
) -> None:
    far = (datetime.now(UTC) + timedelta(hours=25)).isoformat()
    bad: dict[str, Any] = {
        "event": 7,
        "event_type": {"type": "track", "event": "x" * 101},
        "timestamp": {"type": "page", "timestamp": far},
    }
    batch = [{"type": "page"}, *bad.values(), {"type": "page", "timestamp": "1999-12-31T23:59:59Z"}, {"type": "page"}]
    assert ingestion.post("/v1/batch", json={"writeKey": shop, "batch": batch}).status_code == 200
    assert len(queued(shop)) == 2
    changed = change()
    assert {reason: changed[dropped("segment", reason)] for reason in bad} == dict.fromkeys(bad, 1) | {"timestamp": 2}
    assert changed["tjra_events_accepted_total"] == 2


@paths
def test_an_event_that_cannot_be_taken_is_no_error_by_itself(ingestion: httpx.Client, shop: str, path: str) -> None:
    answer = ingestion.post(path, content=body_for(path, shop).replace(b'"x"', b'"\\u0000"'))
    assert answer.status_code == (202 if path in ACCEPTED else 200)
    assert "x-message-id" not in answer.headers
    assert queued(shop) == []


@paths
def test_a_field_that_nobody_knows_does_no_harm(ingestion: httpx.Client, shop: str, path: str) -> None:
    def with_more(value: Any) -> Any:
        if isinstance(value, list):
            return [with_more(one) for one in value]
        if isinstance(value, dict):
            return {name: with_more(one) for name, one in value.items()} | {"of_a_year_ago": {"a": [1]}}
        return value

    body = json.dumps(with_more(json.loads(body_for(path, shop))))
    answer = ingestion.post(path, content=body, headers={"user-agent": FIREFOX})
    assert answer.status_code == (202 if path in ACCEPTED else 200)
    assert [event["event_type"] for event in queued(shop)] == ["x"]


def test_an_engagement_of_plausible_is_no_event(ingestion: httpx.Client, shop: str, change: Change) -> None:
    body = {"n": "engagement", "d": shop, "u": "https://shop.example/", "e": 12_000}
    assert ingestion.post("/api/event", json=body).status_code == 202
    assert change()[dropped("plausible", "engagement")] == 1


@paths
def test_a_missing_key_is_refused_except_by_plausible(ingestion: httpx.Client, change: Change, path: str) -> None:
    answer = post(ingestion, path, "")
    if path == "/api/event":
        assert answer.status_code == 202
        assert change()[dropped("plausible", "key")] == 1
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_write_key")
        assert change()[refused("unknown_key")] == 1


@paths
def test_with_site_keys_only_these_are_taken(
    ingestion: httpx.Client, shop: str, site_keys: str, change: Change, path: str
) -> None:
    assert post(ingestion, path, site_keys).status_code in (200, 202)
    assert len(queued(shop)) == 1
    answer = post(ingestion, path, shop)
    if path == "/api/event":  # its SDK for Python would send it again for ever
        assert answer.status_code == 202
        assert change()[dropped("plausible", "key")] == 1
    else:
        assert answer.json()["message"] == "the key of the site is unknown: it should be one of SITE_KEYS"
    assert len(queued(shop)) == 1


@pytest.mark.parametrize(
    ("path", "event"),
    [
        (
            "/v1/track",
            {"writeKey": "SITE", "event": "x", "messageId": "node-next-1-2b7ea29f-992e-4bae-bd28-000000000000"},
        ),
        ("/batch", {"api_key": "SITE", "event": "x", "uuid": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}),
        ("/batch", {"api_key": "SITE", "event": "x", "uuid": "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f"}),
    ],
    ids=["text", "uuid4", "uuid7"],
)
def test_an_event_without_a_time_that_comes_again_has_the_time_of_the_first(
    ingestion: httpx.Client, shop: str, path: str, event: Any
) -> None:
    content = json.dumps(event).replace("SITE", shop)
    for _ in range(2):
        assert ingestion.post(path, content=content).status_code == 200
    first, second = queued(shop)
    assert (first["event_id"], first["timestamp"]) == (second["event_id"], second["timestamp"])


def test_an_id_inside_a_longer_one_is_another(ingestion: httpx.Client, shop: str) -> None:
    uuid = "2b7ea29f-992e-4bae-bd28-0123456789ab"
    given = [uuid, uuid.upper(), f"ajs-next-1-{uuid}", f"{{{uuid}}}", f"urn:uuid:{uuid}", uuid.replace("-", ""), 17]
    batch = [{"type": "page", "messageId": one} for one in given]
    ingestion.post("/v1/batch", json={"writeKey": shop, "batch": batch})
    ids = [one["event_id"] for one in queued(shop)]
    assert ids[:2] == [uuid, uuid]
    assert len(set(ids)) == 6
    # Fixed for ever.
    assert ids[2] == "a547b903-4fd5-5274-a41c-c525f75c34e4"
