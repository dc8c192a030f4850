"""One bad event, whatever is bad about it, costs no other one of its request; and no body takes long to be refused."""

import json
from collections.abc import Callable
from contextlib import suppress
from time import process_time
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.events.fitting import fit_properties
from db.events.limits import properties_fault
from db.events.tolerant_json import read, take_apart
from tests.apps.monitoring.test_metrics import Change, change
from tests.builders.factories import event
from tests.checks.thorough import examples
from tests.servers.queue import queued

__all__ = ["change"]

#: What a property may be that no strict JSON has, or that we cannot keep, and what is stored of the properties: None
#: where the event itself cannot be read.
VALUES: dict[str, tuple[bytes, dict[str, Any] | None]] = {
    "NaN": (b"NaN", {"x": None, "y": 1}),
    "infinity": (b"[-Infinity, 1]", {"x": [None, 1], "y": 1}),
    "undefined": (b"undefined", {"x": None, "y": 1}),
    "a number out of range": (b"-1e999", {"x": None, "y": 1}),
    "an endless number": (b"9" * 5_000, {"x": None, "y": 1}),
    "half a pair": (rb'"\ud83d"', {"x": "\ufffd", "y": 1}),
    "no UTF-8": (b'"\xff"', {"x": "\ufffd", "y": 1}),
    "half a pair in UTF-8": (b'"\xed\xa0\xbd"', {"x": "\ufffd\ufffd\ufffd", "y": 1}),
    "U+0000": (rb'"a\u0000"', {"x": "a\ufffd", "y": 1}),
    "control characters": (b'"a\tb\nc\x00"', {"x": "a\tb\nc\ufffd", "y": 1}),
    "no escape": (rb'"\x \" \\"', {"x": '\\x " \\', "y": 1}),
    "a text of brackets": (b'"]}],NaN\xff"', {"x": "]}],NaN\ufffd", "y": 1}),
    "a key given twice": (b'NaN,"x":2', {"x": 2, "y": 1}),
    "too deep": (b"[" * 200 + b"]" * 200, {"y": 1}),
    "deeper than can be read": (b"[" * 5_000 + b"]" * 5_000, {"y": 1}),
    "a long text": (b'"%b"' % (b"x" * 40_000), {"y": 1}),
    "a word": (b"tru", None),
    "nothing": (b"", None),
    "a number with a zero before it": (b"01", None),
    "a comma too many": (b"[1,]", None),
}


def native(site: str, name: bytes, properties: bytes) -> bytes:
    return json.dumps(event(site, event_type="NAME")).encode()[:-1].replace(b"NAME", name) + properties + b"}"


def of_type(site: str, name: bytes, properties: bytes) -> bytes:
    return b'{"type":"track","event":"%b","event_type":"%b","path":"/"%b}' % (name, name, properties)


Around = Callable[[bytes, bytes], bytes]
#: Each endpoint that takes several events: an event of it, and what is around them.
ENDPOINTS: dict[str, tuple[str, Callable[[str, bytes, bytes], bytes], Around]] = {
    "array": ("/events", native, lambda _, events: b"[%b]" % events),
    "object": ("/events", native, lambda _, events: b'{"events":[%b],"sent":NaN}' % events),
    "Segment": ("/v1/batch", of_type, lambda key, events: b'{"writeKey":"%b","batch":[%b]}' % (key, events)),
    "PostHog": ("/batch", of_type, lambda key, events: b'{"batch":[%b],"api_key":"%b"}' % (events, key)),
    "tracker": ("/tracker", of_type, lambda key, events: b'{"site_id":"%b","events":[%b]}' % (key, events)),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_is_wrong_in_an_event_costs_no_other_and_itself_only_where_it_cannot_be_read(
    ingestion: httpx.Client, shop: str, endpoint: str, value: str
) -> None:
    path, one, around = ENDPOINTS[endpoint]
    written, stored = VALUES[value]
    middle = one(shop, b"middle", b',"properties":{"x":%b,"y":1}' % written)
    events = [one(shop, b"first", b""), middle, b"NaN", one(shop, b"last", b"")]
    answer = ingestion.post(path, content=around(shop.encode(), b" , ".join(events)))
    assert answer.status_code in (200, 202), answer.text
    found = {one["event_type"]: one.get("properties") for one in queued(shop)}
    assert list(found) == ["first", *(["middle"] if stored else []), "last"]
    assert found.get("middle") == stored
    if path == "/events":
        assert all(one["errors"] for one in answer.json()["rejected"])
        assert [one["index"] for one in answer.json()["rejected"]] == [*([] if stored else [1]), 2]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/track", b'{"writeKey":"SITE","event":"x","properties":%b}'),
        ("/batch", b'{"api_key":"SITE","event":"x","properties":%b}'),
        ("/batch", b'[{"api_key":"SITE","event":"x","properties":%b}]'),
        ("/api/event", b'{"d":"SITE","n":"x","u":"https://shop.example/","p":%b}'),
        ("/api/send", b'{"type":"event","payload":{"website":"SITE","name":"x","url":"/","data":%b}}'),
    ],
)
def test_an_event_by_itself_is_kept_as_far_as_it_can_be(
    ingestion: httpx.Client, shop: str, path: str, body: bytes, value: str
) -> None:
    written, stored = VALUES[value]
    content = body.replace(b"SITE", shop.encode()) % b'{"x":%b,"y":1}' % written
    answer = ingestion.post(path, content=content)
    # Where the key is in what cannot be read, nobody knows whose event it is.
    assert answer.status_code in (200, 202) or (stored is None and answer.status_code in (400, 401)), answer.text
    assert [one["properties"] for one in queued(shop)] == ([stored] if stored else [])


@pytest.mark.parametrize(
    ("more", "field", "stored"),
    [
        ({"properties": 7}, "properties", {}),
        ({"properties": {"title": "x" * 40_000}}, "properties", {"properties": {}}),
        ({"userId": "u" * 300, "user_id": "u" * 300, "distinct_id": "u" * 300}, "user_id", {}),
        (
            {"properties": {"path": "/ä" * 1_000, "$pathname": "/ä" * 1_000}, "path": "/ä" * 1_000},
            "path",
            {"path": "/ä" * 682 + "/"},
        ),
        ({"properties": {"path": "/a\0", "$pathname": "/a\0"}, "path": "/a\0"}, "path", {"path": "/a\ufffd"}),
    ],
)
@pytest.mark.parametrize(
    ("endpoint", "protocol"), [("Segment", "segment"), ("PostHog", "posthog"), ("tracker", "tracker")]
)
def test_what_an_sdk_may_leave_out_never_costs_the_event(
    ingestion: httpx.Client,
    shop: str,
    change: Change,
    endpoint: str,
    protocol: str,
    more: dict[str, Any],
    field: str,
    stored: dict[str, Any],
) -> None:
    path, _, around = ENDPOINTS[endpoint]
    sent = {"type": "track", "event": "x", "event_type": "x", "path": "/"} | more
    assert ingestion.post(path, content=around(shop.encode(), json.dumps(sent).encode())).status_code in (200, 202)
    (found,) = queued(shop)
    assert {name: found[name] for name in stored} == stored
    assert found.get("user_id", "").removeprefix("daily-") != "u" * 300
    assert change()[f"tjra_sdk_events_cut_total{{field={field}}}{{protocol={protocol}}}"] == 1


def test_a_body_that_ends_too_early_or_is_no_object_is_refused(ingestion: httpx.Client, shop: str) -> None:
    for path, one, around in ENDPOINTS.values():
        whole = around(shop.encode(), one(shop, b"x", b',"properties":{"x":NaN}'))
        for content in (whole[:-1], whole + b"x", b"NaN", b"", b'"%b"' % whole.replace(b'"', b"'"), b"<html>"):
            assert ingestion.post(path, content=content).status_code == 400, (path, content)
    assert queued(shop) == []


SIZE = 512 * 1024
#: Bodies for which a reader that looks at anything twice would take minutes.
HOSTILE = {
    "numbers": b"[NaN" + b",NaN" * (SIZE // 4) + b"]",
    "open texts": b'["' * (SIZE // 2),
    "open lists": b"[" * SIZE,
    "deep lists": b"[" * (SIZE // 2) + b"]" * (SIZE // 2),
    "deep objects": b'[{"a":' * (SIZE // 6),
    "quotes": b"[" + b'"' * SIZE,
    "control characters": b'["' + b"\x01" * SIZE + b'"]',
    "texts with control characters": b"[" + b'"\x01",' * (SIZE // 4) + b"1]",
    "backslashes": b'["' + b"\\" * SIZE,
    "halves": b'["' + b"\\ud83d" * (SIZE // 6) + b'"]',
    "escapes": b'["' + b"\\u" * (SIZE // 2) + b'"]',
    "digits": b"[" + b"9" * SIZE + b"]",
    "large numbers": b"[" + b"1e999," * (SIZE // 6) + b"x]",
    "numbers that are none": b"[" + b",".join([b'{"a":[' + b"NaN," * 180 + b"1]}"] * (SIZE // 730)) + b"]",
    "numbers that are slow to read": b"[" + b",".join([b'{"a":[' + b"1e300," * 180 + b"1]}"] * (SIZE // 400)) + b"]",
    "signs": b"[" + b"-" * SIZE + b"]",
    "commas": b"[" + b"," * SIZE + b"]",
    "words": b"[" + b"a " * (SIZE // 2) + b"]",
    "closing": b"[x" + b"]" * SIZE,
    "keys": b"{" + b'"a":NaN,' * (SIZE // 8) + b'"batch":[]}',
    "no UTF-8": b'["' + b"\xff" * SIZE,
    "blanks": b"[" + b" " * SIZE + b"x",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_body_takes_long(name: str) -> None:
    body = HOSTILE[name]
    began = process_time()
    for kind in (list[msgspec.Raw], dict[str, msgspec.Raw]):
        try:
            parts = take_apart(body, kind)
        except (ValueError, RecursionError):
            continue
        for part in list(parts.values() if isinstance(parts, dict) else parts)[:2_500]:
            unread(part)
    unread(body)
    assert process_time() - began < 3


def unread(raw: bytes | msgspec.Raw) -> None:
    with suppress(ValueError, RecursionError):
        read(raw)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(-1e300, 1e300)
    | st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\[]{},:\0\n\t')),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)  # fmt: skip


@examples(40)
@given(st.lists(values, max_size=5), st.booleans())
def test_mending_changes_nothing_else(given_values: list[Any], ascii_only: bool) -> None:
    parts = [json.dumps(value, ensure_ascii=ascii_only).encode() for value in given_values]
    expected = [msgspec.json.decode(part) for part in parts]
    found = take_apart(b"[%b]" % b",".join([*parts, b"NaN", b"x"]), list[msgspec.Raw])
    assert [read(part) for part in found[:-1]] == [*expected, None]
    assert bytes(found[-1]) == b"x"
    assert read(b"[%b]" % b",".join([*parts, b"NaN"])) == [*expected, None]


@examples(40)
@given(st.dictionaries(st.text(max_size=9), values, max_size=9), st.integers(0, 1_100), st.integers(0, 40_000))
def test_properties_that_were_fitted_fit(properties: dict[str, Any], keys: int, size: int) -> None:
    more = {"keys": dict.fromkeys(map(str, range(keys))), "size": "x" * size}
    kept, changed = fit_properties(properties | more)
    assert properties_fault(kept) is None
    assert set(changed) == {name.replace("\0", "\ufffd") for name in properties | more} - set(kept)
    fits = "\0" not in json.dumps(properties | more, ensure_ascii=False) and not properties_fault(properties | more)
    assert kept == properties | more if fits else True
