"""Whatever comes to the endpoints of SDKs: never a 5xx, and good events beside bad ones are counted."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.events.event import LAST_MILLISECOND
from tests.checks.thorough import examples
from tests.servers.queue import queued

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(
        [2**64, -(2**70), "\0", "0001-01-01T00:00+23:00", "9999-12-31T23:59-23:00", "::1", "//", "#/", LAST_MILLISECOND]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def objects(names: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with any values for these members."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names.split(), values) | more)


SEGMENT = objects(
    "type event userId anonymousId messageId timestamp originalTimestamp sentAt receivedAt writeKey traits name",
    properties=values | objects("path url revenue"),
    context=values | objects("userAgent traits page ip", page=objects("path url search referrer")),
)
POSTHOG = objects(
    "event uuid distinct_id timestamp sent_at offset options api_key $set",
    properties=values | objects("token distinct_id $pathname $current_url $raw_user_agent $ip $ignore_sent_at"),
)
PLAUSIBLE = objects("n name u url r referrer p props m meta $ revenue d domain h hashMode")
UMAMI = objects("website name url id title referrer userAgent ip timestamp data")

EVENTS: dict[str, st.SearchStrategy[Any]] = {
    "/v1/batch": SEGMENT,
    "/v1/track": SEGMENT,
    "/batch": POSTHOG,
    "/i/v1/analytics/events": POSTHOG,
    "/api/event": PLAUSIBLE,
    "/api/send": UMAMI,
    "/api/batch": objects("type", payload=values | UMAMI),
}
GOOD: dict[str, Any] = {
    "/v1/batch": {"type": "track", "event": "good"},
    "/batch": {"event": "good"},
}
hostile = examples(15)


def envelope(path: str, events: Any) -> Any:
    if path == "/api/send":
        return {"type": "event", "payload": events}
    if path == "/api/batch":
        return events
    return {"writeKey": "hostile", "api_key": "hostile", "batch": events}


@pytest.mark.parametrize("path", EVENTS)
def test_no_value_of_any_field_is_an_error_of_the_server(ingestion: httpx.Client, path: str) -> None:
    @hostile
    @given(events=st.lists(EVENTS[path] | values, min_size=1, max_size=3), bare=st.booleans())
    def send(events: list[Any], bare: bool) -> None:
        body = events[0] if bare or path in ("/v1/track", "/api/event") else envelope(path, events)
        answer = ingestion.post(path, content=json.dumps(body))
        assert answer.status_code in (200, 202, 400, 401)
        assert answer.text == "ok" or isinstance(answer.json(), dict)

    send()


@pytest.mark.parametrize("path", GOOD)
def test_neighbours_of_bad_events_are_taken(ingestion: httpx.Client, shop: str, path: str) -> None:
    sent = 0

    @hostile
    @given(events=st.lists(EVENTS[path] | values, max_size=3))
    def send(events: list[Any]) -> None:
        nonlocal sent
        batch = [GOOD[path], *events, GOOD[path]]
        key = {"writeKey": shop, "api_key": shop}
        assert ingestion.post(path, content=json.dumps(key | {"batch": batch})).status_code == 200
        sent += 2

    send()
    assert sum(one["event_type"] == "good" for one in queued(shop)) == sent


@pytest.mark.parametrize(
    ("bad", "kept"),
    [
        (b'"' + b"\xff" * 10 + b'"', []),
        (rb'{"type":"track","event":"cut \ud83d"}', [None]),
        (b'{"type":"track","event":"x","properties":' + b'{"a":' * 200 + b"1" + b"}" * 201, [{}]),
        (b'{"type":"track","event":"x","properties":{"n":1e999}}', [{"n": None}]),
        (b'{"type":"track","event":"x","properties":{"n":' + b"9" * 5000 + b"}}", [{"n": None}]),
        (b'{"type":"track","event":"x","userId":' + b"9" * 5000 + b"}", [None]),
        (b'{"type":"track","event":"x","properties":{"t":"' + b"a" * 2_000_000 + b'"}}', []),
        (
            b'{"type":"track","event":"x","context":{"userAgent":"' + b"Mozilla/" * 1000 + b'"}, "properties": 7}',
            [None],
        ),
    ],
    ids=["no UTF-8", "half a pair", "deep", "large number", "long number", "long user", "long text", "long user agent"],
)
def test_a_bad_event_spoils_no_other(ingestion: httpx.Client, shop: str, bad: bytes, kept: list[Any]) -> None:
    good = b'{"type":"track","event":"good"}'
    body = b'{"writeKey":"%b","batch":[%b,%b,%b]}' % (shop.encode(), good, bad, good)
    assert ingestion.post("/v1/batch", content=body).status_code == 200
    first, *middle, last = queued(shop)
    assert (first["event_type"], last["event_type"]) == ("good", "good")
    # As far as what is bad about it is optional, it is taken without that.
    assert [one.get("properties") for one in middle] == kept
