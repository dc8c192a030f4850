"""Whatever body is sent: 202 or a 4xx with the reason, and memory bounded. On real sockets."""

import gzip
import json
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.factories import event
from tests.checks.thorough import examples
from tests.servers.serving import MIB, Served

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TYPES = (
    "application/json",
    "application/x-ndjson",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "\xff/\xfe",
    "",
)
GOOD = json.dumps(event("shop")).encode()


@pytest.fixture(scope="module")
def client(ingestion_server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=ingestion_server.url, timeout=60) as client:
        yield client


def check(answer: httpx.Response) -> int:
    """The answer's status; AssertionError unless it is a 202 or a refusal with its reason."""
    if answer.status_code != 202:
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
    return answer.status_code


# Pieces of JSON that mean trouble somewhere, in a document or on their own.
pieces = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b"null", b"true"),
        *(b"NaN", b"-Infinity", b"1e999", b"-0.0", b"9" * 5000),
        *(b'"\\ud800"', b'"\\u0000"', b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"[" * 2000, b'{"a":' * 2000),
        *(b'"events":', b'"site_id":', b'"timestamp":', b'"properties":', b'"path":"/"', GOOD),
    ]
)
documents = st.lists(pieces | st.binary(max_size=4), max_size=30).map(b"".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("\ud800") | st.just("\0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
events = st.dictionaries(st.sampled_from([*event(""), "user_id", "event_id", "properties", "other"]), values).map(
    lambda fields: json.dumps(event("shop") | fields).encode()
)
plain = (
    st.binary(max_size=200)
    | documents
    | events
    | st.lists(events, max_size=4).map(lambda some: b"[%b]" % b",".join(some))
)


def damaged(body: bytes, place: int, byte: int) -> bytes:
    """The body with one byte changed, or cut there."""
    place %= len(body)
    return body[:place] + (bytes([byte]) + body[place + 1 :] if byte < 256 else b"")


compressed = st.builds(lambda compress, body: compress(body), st.sampled_from([gzip.compress, zstd.compress]), plain)
bodies = plain | compressed | st.builds(damaged, compressed, st.integers(0), st.integers(0, 300))


@examples(150)
@given(
    path=st.sampled_from(["/event", "/event/", "/events", "/events?ids=true"]),
    body=bodies,
    content_type=st.sampled_from(TYPES),
    encoding=st.sampled_from([None, "gzip", "zstd", "br", "identity", ""]),
)
def test_every_body_is_answered(
    client: httpx.Client, path: str, body: bytes, content_type: str, encoding: str | None
) -> None:
    headers = [(b"content-type", content_type.encode("latin-1"))]
    if encoding is not None:
        headers.append((b"content-encoding", encoding.encode()))
    check(client.post(path, content=body, headers=headers))


TEXTS = ("site_id", "event_type", "path", "user_id")


@pytest.mark.parametrize(
    "raw", [b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\u0000"', b'"a\\u0000b"', b'"\xed\xa0\x80"'], ids=repr
)
def test_text_that_cannot_be_stored_is_mended_or_refused_wherever_it_stands(client: httpx.Client, raw: bytes) -> None:
    required = {name: b'"%b":%b' % (name.encode(), raw) for name in TEXTS if name != "user_id"}
    places = required | {"user_id": b'"user_id":%b' % raw}
    places |= {
        "a value of properties": b'"properties":{"a":%b}' % raw,
        "a key of properties": b'"properties":{%b:1}' % raw,
        "an item of properties": b'"properties":{"a":[{"b":[%b]}]}' % raw,
    }
    for name, place in places.items():
        refused = name in required and b"u0000" in raw
        assert check(client.post("/event", content=GOOD[:-1] + b"," + place + b"}")) == (400 if refused else 202), name
        answer = client.post("/events", content=b"[%b,%b,%b]" % (GOOD, GOOD[:-1] + b"," + place + b"}", GOOD))
        assert (check(answer), answer.json()["accepted"]) == (202, 2 if refused else 3), name


@pytest.mark.parametrize(
    "place", [b"%b", b'{"properties":%b}', b'{"other":%b}', b'{"events":%b}', b'{"events":[%b]}'], ids=repr
)
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'], ids=repr)
def test_deep_nesting_is_refused(client: httpx.Client, place: bytes, opening: bytes) -> None:
    closing = b"".join(b"]" if character == b"["[0] else b"}" for character in reversed(opening) if character in b"[{")
    for path, depth in (("/event", 60_000 // (len(opening) + len(closing))), ("/events", 100_000)):
        for body in (place % (opening * depth + b"1" + closing * depth), place % (opening * depth)):
            assert check(client.post(path, content=body)) == 400


@pytest.mark.parametrize(
    "timestamp",
    [
        *("0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"),
        *("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.9999999Z", "2026-03-10T12:00:00+24:00"),
        *("2026-03-10T23:59:60Z", "2026-03-10T24:00:00Z", "", "now", "\0"),
        *(-1, 1.5, -0.0, 1e300, 10**400, True, [], {}),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_time_that_is_none_is_refused(client: httpx.Client, timestamp: Any) -> None:
    answer = client.post("/event", json=event("shop", timestamp=timestamp))
    assert check(answer) == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["timestamp"]


@pytest.mark.parametrize(
    "number",
    [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"9" * 5000, b"0x1", b"+1", b"1."],
    ids=lambda raw: repr(raw)[:20],
)
def test_a_number_that_json_does_not_have_is_refused_where_it_matters(client: httpx.Client, number: bytes) -> None:
    for name in ("timestamp", "site_id", "event_type", "path", "event_id"):
        answer = client.post("/event", content=GOOD[:-1] + b',"%b":%b}' % (name.encode(), number))
        assert check(answer) == 400
        assert name in [error["field"] for error in answer.json()["errors"]] or number in (b"0x1", b"+1", b"1.")
    # What is written in no other way is no number either: nobody means it.
    kept = number not in (b"0x1", b"+1", b"1.")
    answer = client.post("/event", content=GOOD[:-1] + b',"properties":{"a":%b}}' % number)
    assert check(answer) == (202 if kept else 400)


def test_of_a_field_given_twice_the_last_counts(client: httpx.Client) -> None:
    for body, status in (
        (b'{"site_id":"a",' + GOOD[1:], 202),
        (b'{"site_id":7,' + GOOD[1:], 202),
        (GOOD[:-1] + b',"site_id":7}', 400),
    ):
        assert check(client.post("/event", content=body)) == status


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"])
def test_another_encoding_is_refused_or_read(client: httpx.Client, encoding: str) -> None:
    body = GOOD.decode().encode(encoding)
    for path in ("/event", "/events"):
        readable = body.removeprefix(BOM_UTF8) == GOOD and path == "/event"
        assert check(client.post(path, content=body)) == (202 if readable else 400)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"null", 400),
        (b"[]", 400),
        (b"[null]", 400),
        (b'{"events":null}', 400),
        (b"[%b]" % b",".join([GOOD] * 1001), 413),
        (b"[%b]" % b",".join([b"1"] * 1_000_000), 413),
        (b"\n" * 5_000_000, 400),
        (b"1\n" * 2_500_000, 413),
    ],
    ids=lambda value: repr(value)[:20],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-ndjson"])
def test_a_batch_of_nothing_or_too_much_is_refused(
    client: httpx.Client, content_type: str, body: bytes, status: int
) -> None:
    answer = client.post("/events", content=body, headers={"content-type": content_type})
    assert check(answer) in {status, 400}


BOMBS = {
    "gzip": gzip.compress(bytes(256 * MIB), 1),
    "gzip in gzip": gzip.compress(gzip.compress(bytes(256 * MIB), 1)),
    "zstd": zstd.compress(bytes(256 * MIB)),
    "zstd with a large window": zstd.compress(bytes(64 * MIB), options={zstd.CompressionParameter.window_log: 27}),
    "lines": gzip.compress(b"1\n" * 2 * MIB),
    "numbers": gzip.compress(b"[" + b"1," * 2 * MIB + b"1]"),
    "arrays": gzip.compress(b"[" + b"[]," * MIB + b"1]"),
    "keys": gzip.compress(b"{" + b'"":1,' * MIB + b'"":1}'),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_takes_bounded_memory(ingestion_server: Served, client: httpx.Client, name: str) -> None:
    # As JSON, 5 MiB of numbers are two million objects of some 60 bytes.
    bound = 256 * MIB if name in ("numbers", "arrays") else 64 * MIB
    for path in ("/event", "/events"):
        for content_type in ("application/json", "application/x-ndjson"):
            with ingestion_server.takes_at_most(bound):
                answer = client.post(path, content=BOMBS[name], headers={"content-type": content_type})
            assert check(answer) in {400, 413}
