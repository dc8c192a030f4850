"""What is optional never costs the event: it is left out, and named; and what is not UTF-8 is never kept silently."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders.factories import event
from tests.servers.queue import queued

DEEP = b"[" * 1_100 + b"]" * 1_100
#: Members of an event as sent; what is stored of them; what is named.
MEMBERS: list[tuple[bytes, dict[str, Any], list[str]]] = [
    (b'"properties":[]', {}, []),
    (b'"properties":[1]', {}, ["properties"]),
    (b'"properties":"text"', {}, ["properties"]),
    (b'"properties":7', {}, ["properties"]),
    (b'"properties":false', {}, ["properties"]),
    (b'"properties":%b' % DEEP, {}, ["properties"]),
    (b'"properties":{"deep":%b,"a":1}' % DEEP, {"properties": {"a": 1}}, ["properties.deep"]),
    (b'"properties":{"a":1,"deep":[%b,"]",2],"b":"["}' % DEEP, {"properties": {"a": 1, "b": "["}}, ["properties.deep"]),
    (b'"properties":{"deep":%b1%b}' % (b'{"a":[' * 550, b"]}" * 550), {"properties": {}}, ["properties.deep"]),
    (
        b'"properties":{"a":[%b],"b":1}' % b",".join([b"NaN"] * 1_001),
        {"properties": {"b": 1, "a": [None] * 1_001}},
        ["properties.a"],
    ),
    (b'"user_id":17.0', {"user_id": "17"}, []),
    (b'"user_id":1e3', {"user_id": "1000"}, []),
    (b'"user_id":9223372036854775808', {"user_id": "9223372036854775808"}, []),
    (b'"user_id":-%b' % (b"9" * 200), {"user_id": "-" + "9" * 200}, []),
    (b'"user_id":%b' % (b"9" * 900), {}, ["user_id"]),
    (b'"user_id":17.5', {}, ["user_id"]),
    (b'"user_id":true', {}, ["user_id"]),
    (b'"user_id":[]', {}, ["user_id"]),
    (b'"user_id":{"id":1}', {}, ["user_id"]),
    (b'"user_id":%b' % DEEP, {}, ["user_id"]),
    (b'"agent":{"device":"mobile","country":null}', {"agent": {"device": "mobile"}}, []),
    (b'"agent":{"country":"de"}', {"agent": {"country": "DE"}}, []),
    (b'"agent":{"country":"Deutschland","os":"iOS"}', {"agent": {"os": "iOS"}}, ["agent.country"]),
    (
        b'"agent":{"device":"mobile","os":7,"colour":"red"}',
        {"agent": {"device": "mobile"}},
        ["agent.os", "agent.colour"],
    ),
    (b'"agent":{"os":"%b","browser":"%b"}' % (b"9" * 256, b"9" * 255), {"agent": {"browser": "9" * 255}}, ["agent.os"]),
    (b'"agent":"mobile","origin":[1]', {"agent": None, "origin": None}, ["agent", "origin"]),
    (
        b'"origin":{"source":"a\\u0000","medium":"M\xfcller"}',
        {"origin": {"medium": "M\ufffdller", "channel": "Unassigned"}},
        ["origin", "origin.source"],
    ),
    (
        b'"origin":{"source":"%b","term":"%b"}' % ("\u00e4".encode() * 128, "\u00e4".encode() * 127),
        {"origin": {"term": "\u00e4" * 127, "channel": "Unassigned"}},
        ["origin.source"],
    ),
    (b'"origin":%b' % DEEP, {"origin": None}, ["origin"]),
    (b'"event_id":""', {}, []),
    (b'"event_id":" "', {}, []),
    (b'"timestamp":1767323045678.5', {"timestamp": "2026-01-02T03:04:05.678000Z"}, []),
    (b'"user_id":"M\xfcller"', {}, ["user_id"]),
    (b'"user_id":"M\xc3\xbcller"', {"user_id": "M\u00fcller"}, []),
    (b'"user_id":"M\xef\xbf\xbdller"', {"user_id": "M\ufffdller"}, []),
    (b'"user_id":"\xef\xbf\xbd","x":"\xfc"', {"user_id": "\ufffd"}, ["x"]),
    (b'"path":"/\xfc"', {"path": "/\ufffd"}, ["path"]),
    (b'"event_type":"\xfc"', {"event_type": "\ufffd"}, ["event_type"]),
    (
        b'"properties":{"a":["\xfc"],"\xe4":1,"b":"\xef\xbf\xbd"}',
        {"properties": {"a": ["\ufffd"], "\ufffd": 1, "b": "\ufffd"}},
        ["properties.a", "properties.\ufffd"],
    ),
]


@pytest.mark.parametrize("batch", [False, True], ids=["event", "batch"])
@pytest.mark.parametrize(("members", "stored", "ignored"), MEMBERS, ids=lambda value: repr(value)[:40])
def test_an_optional_part_is_left_out_and_named(
    ingestion: httpx.Client, shop: str, batch: bool, members: bytes, stored: dict[str, Any], ignored: list[str]
) -> None:
    whole = {name: value for name, value in event(shop).items() if b'"%b":' % name.encode() not in members}
    content = json.dumps(whole).encode()[:-1] + b"," + members + b"}"
    answer = (
        ingestion.post("/events", content=b"[%b]" % content) if batch else ingestion.post("/event", content=content)
    )
    assert answer.status_code == 202, answer.text
    told = answer.json().get("ignored_fields", [])
    assert (told[0]["fields"] if batch and told else told) == ignored
    (found,) = queued(shop)
    for name in ("user_id", "properties", *stored):
        assert found.get(name) == stored.get(name)


@pytest.mark.parametrize(
    "member",
    [{"event_id": "x"}, {"event_id": 7}, {"timestamp": "yesterday"}, {"timestamp": -1}, {"timestamp": True}],
    ids=str,
)
def test_what_decides_about_duplicates_and_the_day_is_not_left_out(
    ingestion: httpx.Client, shop: str, member: dict[str, Any]
) -> None:
    answer = ingestion.post("/event", json=event(shop) | member)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == list(member)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/track", b'{"writeKey":"SITE","event":"x","userId":USER,"properties":OTHER}'),
        ("/batch", b'{"api_key":"SITE","event":"x","distinct_id":USER,"properties":OTHER}'),
        ("/tracker", b'{"site_id":"SITE","events":[{"event_type":"x","path":"/","user_id":USER,"properties":OTHER}]}'),
    ],
)
@pytest.mark.parametrize(
    ("user", "other", "user_id"),
    [
        (b'"M\xfcller"', b"[]", None),
        (b'"u1"', b"[]", "u1"),
        (b'"u1"', b'"text"', "u1"),
        (b'"u1"', b"%b" % DEEP, "u1"),
        (b'"u1"', b'{"x":%b%b}' % (b"[" * 900, b"]" * 900), "u1"),
        (b"9223372036854775808", b"{}", "9223372036854775808"),
        (DEEP, b"{}", None),
        (b"true", b"{}", None),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_sdks_lose_no_event_by_an_optional_part(
    ingestion: httpx.Client, shop: str, path: str, body: bytes, user: bytes, other: bytes, user_id: str | None
) -> None:
    content = body.replace(b"SITE", shop.encode()).replace(b"USER", user).replace(b"OTHER", other)
    answer = ingestion.post(path, content=content)
    assert answer.status_code in (200, 202), answer.text
    (found,) = queued(shop)
    given = found.get("user_id")
    assert given == user_id or (user_id is None and str(given).startswith("daily-"))


def test_ids_of_sdks_that_are_no_utf8_are_no_duplicates(ingestion: httpx.Client, shop: str) -> None:
    one = b'{"type":"track","event":"x","messageId":"\xe4"}'
    other = b'{"type":"track","event":"x","messageId":"\xfc"}'
    ingestion.post("/v1/batch", content=b'{"writeKey":"%b","batch":[%b,%b]}' % (shop.encode(), one, other))
    assert len({one["event_id"] for one in queued(shop)}) == 2


def test_a_text_of_an_sdk_keeps_the_rest_of_what_is_no_utf8(ingestion: httpx.Client, shop: str) -> None:
    content = b'{"writeKey":"%b","event":"\xfc","messageId":"%b","properties":{"a":["\xfc"]}}'
    ingestion.post("/v1/track", content=content % (shop.encode(), str(uuid4()).encode()))
    (found,) = queued(shop)
    assert (found["event_type"], found["properties"]) == ("\ufffd", {"a": ["\ufffd"]})


def test_more_faults_than_are_repaired_cost_the_properties_only(ingestion: httpx.Client, shop: str) -> None:
    whole = json.dumps(event(shop)).encode()[:-1] + b',"properties":{"a":[%b]}}' % b",".join([b"NaN"] * 20_001)
    answer = ingestion.post("/events", content=b"[%b]" % whole)
    assert (answer.status_code, answer.json()["ignored_fields"]) == (202, [{"index": 0, "fields": ["properties"]}])
    assert ["properties" in one for one in queued(shop)] == [False]
