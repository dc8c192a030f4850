"""The event's limits: what validation accepts, the store stores; what it refuses, it explains."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from db.events.errors import field_errors
from db.events.event import Event, ReceivedEvent, receive
from tests.builders.factories import WINDOW, event, received

#: When all events here arrive; the new ids carry the real time, which must not be far ahead of it.
ARRIVAL = datetime.now(UTC)

V4 = "123e4567-e89b-42d3-a456-426614174000"
#: The time inside is 2026-01-02T03:04:05.678Z.
V7 = "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f"


def accept(raw: bytes) -> ReceivedEvent | None:
    """What the ingestion app does: the event, or None where it is refused."""
    try:
        return receive(msgspec.json.decode(raw, type=Event), now=ARRIVAL, window=WINDOW)
    except (ValueError, RecursionError):
        return None


def errors(raw: bytes) -> dict[str, str]:
    """Each refused field and why; an event is explained if and only if it is refused."""
    assert accept(raw) is None
    return {error.field: error.reason for error in field_errors(raw, now=ARRIVAL, window=WINDOW)}


def with_fields(**fields: Any) -> bytes:
    return msgspec.json.encode(event("shop") | fields)


def test_an_event_gets_an_id_and_keeps_its_time() -> None:
    accepted = received("shop", timestamp="2026-01-02T04:04:05.678+01:00")
    assert UUID(accepted.event_id).version == 7
    assert accepted.timestamp == datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
    assert abs(datetime.now(UTC) - accepted.received_at) < timedelta(minutes=1)


def test_the_queue_says_which_ids_we_made() -> None:
    assert msgspec.json.decode(msgspec.json.encode(received("shop")))["id_made"] is True
    assert "id_made" not in msgspec.json.decode(msgspec.json.encode(received("shop", event_id=V7)))


def test_milliseconds_are_a_time() -> None:
    assert received("shop", timestamp=1767323045678).timestamp == datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def test_without_a_time_it_is_that_of_arrival() -> None:
    accepted = receive(Event(site_id="shop", event_type="page_view", path="/"), now=datetime.now(UTC), window=WINDOW)
    assert abs(accepted.timestamp - accepted.received_at) < timedelta(seconds=1)


def test_without_a_time_a_uuid7_carries_it_so_that_a_resend_has_the_same() -> None:
    for _ in range(2):
        accepted = received("shop", timestamp=None, event_id=V7)
        assert accepted.event_id == V7
        assert accepted.timestamp == datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def test_without_a_time_another_uuid_is_refused() -> None:
    assert errors(with_fields(timestamp=None, event_id=V4)) == {
        "timestamp": "is missing, and event_id is not a UUIDv7, which would carry a time"
    }


def test_a_uuid7_of_an_impossible_time_is_refused() -> None:
    assert list(errors(with_fields(timestamp=None, event_id="ffffffff-ffff-7fff-bfff-ffffffffffff"))) == ["event_id"]


def test_unknown_fields_are_ignored() -> None:
    accepted = accept(with_fields(screen="1920x1080", received_at="2001-01-01T00:00:00Z"))
    assert accepted
    assert accepted.received_at == ARRIVAL


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"site_id": ""}, "at least 1 character"),
        ({"site_id": "x" * 256}, "at most 255 characters"),
        ({"site_id": "é" * 128}, "is 256 bytes long"),
        ({"site_id": None}, "should be text, not null"),
        ({"event_type": "é" * 51}, "is 102 bytes long"),
        ({"path": "x" * 2049}, "at most 2,048 characters"),
        ({"path": "😀" * 513}, "is 2052 bytes long"),
        ({"path": "/a\0b"}, "holds U+0000"),
        ({"user_id": "x" * 256}, "is 256 bytes long"),
        ({"user_id": 1.5}, "should be a whole number, text or null, not a fraction"),
        ({"user_id": 2**63}, "at most 9223372036854775807"),
        ({"user_id": "\0"}, "holds U+0000"),
        ({"event_id": "17"}, "should be a UUID"),
        ({"timestamp": "2026-01-02"}, "should be a time with an offset such as 2026-01-31T12:00:00Z"),
        ({"timestamp": "2026-01-02T03:04:05"}, "should be a time with an offset such as"),
        ({"timestamp": "1999-12-31T23:59:59Z"}, "before 2000-01-01"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "before 2000-01-01"),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, "more than 24 h ahead"),
        ({"timestamp": 0}, "before 2000-01-01"),
        ({"timestamp": -1}, "at least 0"),
        ({"timestamp": 10**30}, "at most 253402300799999"),
        pytest.param(
            {"timestamp": (ARRIVAL + timedelta(hours=24, seconds=1)).isoformat()}, "more than 24 h ahead", id="tomorrow"
        ),
        ({"properties": []}, "should be an object or null, not a list"),
        ({"properties": {"a": ["b", {"c": "\0"}]}}, "hold U+0000"),
        ({"properties": {"\0": 1}}, "hold U+0000"),
        ({"properties": {"a": "x" * 32768}}, "are 32776 bytes long"),
        ({"properties": dict.fromkeys(map(str, range(1001)))}, "have 1001 keys"),
        ({"properties": {"1": {"2": {"3": {"4": {"5": {"6": {"7": [[]]}}}}}}}}, "more than 8 levels deep"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_field_is_named_with_the_reason(fields: dict[str, Any], reason: str) -> None:
    (name,) = fields
    found = errors(json.dumps(event("shop") | fields).encode())
    assert list(found) == [name]
    assert reason in found[name]


def test_every_bad_field_is_named_at_once() -> None:
    raw = with_fields(site_id="", event_type=1, path="\0", user_id=[], timestamp="x", event_id="y", properties="z")
    assert list(errors(raw)) == ["site_id", "event_type", "path", "user_id", "timestamp", "event_id", "properties"]


def test_a_bad_time_is_named_beside_a_user_who_is_a_number() -> None:
    assert list(errors(with_fields(user_id=17, timestamp="x"))) == ["timestamp"]


def test_a_bad_time_is_named_beside_a_bad_id() -> None:
    assert list(errors(with_fields(timestamp="1990-01-01T00:00:00Z", event_id="y"))) == ["event_id", "timestamp"]


def test_missing_fields_are_named() -> None:
    assert errors(b"{}") == dict.fromkeys(["site_id", "event_type", "path"], "is missing")


@pytest.mark.parametrize("text", [b"\xff", b"\xed\xa0\x80", b"\xc3"], ids=repr)
def test_text_that_is_no_utf8_is_refused(text: bytes) -> None:
    assert list(errors(with_fields(user_id="?").replace(b"?", text))) == ["user_id"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"\xff",
        b"NaN",
        b"[" * 100_000,
    ],
    ids=repr,
)
def test_what_is_no_json_object_is_refused_as_a_whole(raw: bytes) -> None:
    assert list(errors(raw)) == [""]


@pytest.mark.parametrize(
    "properties",
    [b'{"a":\x01}', b'{"a":}', b'{"a":01}', b'{"a":True}', b"{'a':1}", b"[" * 2_000 + b"]" * 2_000],
    ids=lambda raw: repr(raw)[:30],
)
def test_what_json_cannot_mean_is_refused_by_its_field(properties: bytes) -> None:
    raw = with_fields()[:-1] + b',"properties":' + properties + b"}"
    assert list(errors(raw)) == ["properties"]


@pytest.mark.parametrize("user_id", [17, -3, 2**63 - 1])
def test_a_whole_number_is_a_user_by_its_text(user_id: int) -> None:
    accepted = accept(with_fields(user_id=user_id))
    assert accepted
    assert accepted.user_id == str(user_id)


def test_of_a_key_given_twice_the_last_counts() -> None:
    accepted = accept(with_fields()[:-1] + b',"properties":{"a":1,"a":2}}')
    assert accepted
    assert accepted.properties == {"a": 2}
