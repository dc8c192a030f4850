"""POST /events: one bad event never keeps its neighbours out."""

import gzip
import json
import sys
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.builders.factories import event
from tests.servers.queue import queued

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NDJSON = {"content-type": "application/x-ndjson; charset=utf-8"}


def lines(*events: Any) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in events)


def test_an_array_is_queued(ingestion: httpx.Client, shop: str) -> None:
    answer = ingestion.post("/events", json=[event(shop, path="/a"), event(shop, path="/b")])
    assert answer.status_code == 202
    assert answer.json() == {"status": "queued", "accepted": 2, "rejected": []}
    assert [one["path"] for one in queued(shop)] == ["/a", "/b"]


def test_an_object_with_events_is_queued(ingestion: httpx.Client, shop: str) -> None:
    answer = ingestion.post("/events", json={"sent_at": "now", "events": [event(shop)]})
    assert answer.json()["accepted"] == 1
    assert len(queued(shop)) == 1


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n"])
def test_lines_are_queued(ingestion: httpx.Client, shop: str, end: bytes) -> None:
    answer = ingestion.post("/events", content=lines(event(shop), event(shop)) + end, headers=NDJSON)
    assert answer.json()["accepted"] == 2
    assert len(queued(shop)) == 2


def test_bad_events_are_listed_by_index_and_their_neighbours_queued(ingestion: httpx.Client, shop: str) -> None:
    answer = ingestion.post("/events", json=[event(shop), {"site_id": shop}, 7, event(shop, path="\0"), event(shop)])
    assert answer.status_code == 202
    body = answer.json()
    assert body["accepted"] == 2
    named = {one["index"]: [error["field"] for error in one["errors"]] for one in body["rejected"]}
    assert named == {1: ["event_type", "path"], 2: [""], 3: ["path"]}
    assert len(queued(shop)) == 2


@pytest.mark.parametrize("half", ["\ud83d", "cut \ude00 here"], ids=ascii)
@pytest.mark.parametrize("field", ["path", "properties"])
@pytest.mark.parametrize("form", ["array", "object", "NDJSON"])
def test_an_emoji_cut_in_two_costs_nothing(
    ingestion: httpx.Client, shop: str, half: str, field: str, form: str
) -> None:
    bad = event(shop, **{field: half if field == "path" else {"title": half}})
    events = [event(shop, path="/\N{GRINNING FACE}"), bad, event(shop, path="/b")]
    if form == "NDJSON":
        answer = ingestion.post("/events", content=lines(*events), headers=NDJSON)
    else:
        body = json.dumps(events if form == "array" else {"events": events})
        answer = ingestion.post("/events", content=body)
    assert answer.status_code == 202
    assert answer.json() == {"status": "queued", "accepted": 3, "rejected": []}
    paths = [one["path"] for one in queued(shop)]
    assert (paths[0], paths[2]) == ("/\N{GRINNING FACE}", "/b")
    assert queued(shop)[1][field] in (
        mended := half.encode(errors="replace").decode().replace("?", "\ufffd"),
        {"title": mended},
    )


@pytest.mark.parametrize("form", ["array", "object", "NDJSON"])
def test_what_is_ignored_is_named_by_index(ingestion: httpx.Client, shop: str, form: str) -> None:
    bad = b',"revenue":10,"properties":{"a":NaN}}'
    events = [one.encode() for one in map(json.dumps, [event(shop)] * 103)]
    events[1:102] = [one[:-1] + bad for one in events[1:102]]
    body = {"NDJSON": b"\n", "array": b","}.get(form, b",").join(events)
    content = {"array": b"[%b]", "object": b'{"events":[%b]}', "NDJSON": b"%b"}[form] % body
    answer = ingestion.post("/events", content=content, headers=NDJSON if form == "NDJSON" else {}).json()
    assert (answer["accepted"], answer["rejected"]) == (103, [])
    assert answer["ignored_fields"] == [
        {"index": index, "fields": ["revenue", "properties.a"]} for index in range(1, 101)
    ]
    assert [one["properties"] for one in queued(shop)[1:102]] == [{"a": None}] * 101


def test_a_bad_line_is_rejected_alone(ingestion: httpx.Client, shop: str) -> None:
    body = lines(event(shop)) + b'\n{"site_id": "x\n\xff\n' + lines(event(shop))
    answer = ingestion.post("/events", content=body, headers=NDJSON).json()
    assert answer["accepted"] == 2
    assert [one["index"] for one in answer["rejected"]] == [1, 2]


def test_ids_are_listed_in_order_on_request(ingestion: httpx.Client, shop: str) -> None:
    given = "123e4567-e89b-42d3-a456-426614174000"
    answer = ingestion.post("/events?ids=true", json=[event(shop, event_id=given), {}, event(shop)]).json()
    first, second, third = answer["event_ids"]
    assert (first, second) == (given, None)
    assert UUID(third).version == 7
    assert [one["event_id"] for one in queued(shop)] == [first, third]


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("said", [True, False], ids=["said in a header", "not said"])
def test_a_compressed_batch_is_read(ingestion: httpx.Client, shop: str, compress: Any, said: bool) -> None:
    encoding = {"content-encoding": compress.__module__.rsplit(".")[-1].strip("_")} if said else {}
    for content, headers in ((json.dumps([event(shop)]).encode(), {}), (lines(event(shop)), NDJSON)):
        answer = ingestion.post("/events", content=compress(content), headers=encoding | headers)
        assert answer.status_code == 202, answer.text
    assert len(queued(shop)) == 2


def test_several_compressed_parts_are_one_body(ingestion: httpx.Client, shop: str) -> None:
    parts = [gzip.compress(lines(event(shop)) + b"\n") for _ in range(3)]
    assert ingestion.post("/events", content=b"".join(parts), headers=NDJSON).json()["accepted"] == 3


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (gzip.compress(b" " * (5 * 1024 * 1024 + 1)), 413, "5,242,880 bytes"),
        (zstd.compress(b" " * 200_000_000), 413, "5,242,880 bytes"),
        (b" " * (5 * 1024 * 1024 + 1), 413, "5,242,880 bytes"),
        (gzip.compress(b"[]")[:-9], 400, "its end is missing"),
        (gzip.compress(b"[]") + b"garbage", 400, "cannot be decompressed|its end is missing"),
        (b"\x1f\x8b\x08garbage", 400, "cannot be decompressed|its end is missing"),
        (b"\x28\xb5\x2f\xfdgarbage", 400, "cannot be decompressed|its end is missing"),
        (gzip.compress(b"") * 100_000, 400, "more than 16 parts"),
    ],
    ids=["gzip bomb", "zstd bomb", "long", "cut", "trailing", "no gzip", "no zstd", "many parts"],
)
def test_a_body_that_cannot_be_taken_is_refused(
    ingestion: httpx.Client, content: bytes, status: int, said: str
) -> None:
    answer = ingestion.post("/events", content=content)
    assert answer.status_code == status
    assert any(part in answer.json()["detail"] for part in said.split("|"))


def test_another_compression_is_refused(ingestion: httpx.Client) -> None:
    answer = ingestion.post("/events", content=b"x", headers={"content-encoding": "br"})
    assert answer.status_code == 415
    assert "gzip, zstd" in answer.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"events":[]}', b"\n \n"], ids=repr)
@pytest.mark.parametrize("headers", [{}, NDJSON], ids=["JSON", "NDJSON"])
def test_an_empty_batch_is_refused(ingestion: httpx.Client, body: bytes, headers: dict[str, str]) -> None:
    assert ingestion.post("/events", content=body, headers=headers).status_code == 400


@pytest.mark.parametrize("body", [b"[", b"7", b'{"event":[]}', b'{"events":{}}', b"[{]", b"[" * 100_000], ids=repr)
def test_what_is_no_batch_is_refused_with_what_it_should_be(ingestion: httpx.Client, body: bytes) -> None:
    answer = ingestion.post("/events", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the batch should be a JSON array of events")


def test_where_no_event_is_valid_the_answer_is_400_with_every_reason(ingestion: httpx.Client) -> None:
    answer = ingestion.post("/events", json=[{}, {}])
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["index"] for one in answer.json()["rejected"]] == [0, 1]


def test_a_batch_may_hold_a_thousand_events(ingestion: httpx.Client, shop: str) -> None:
    assert ingestion.post("/events", json=[event(shop)] * 1000).json()["accepted"] == 1000
    answer = ingestion.post("/events", json=[event(shop)] * 1001)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "a batch may hold 1,000 events; this one has 1,001"


def test_a_wrong_parameter_is_named(ingestion: httpx.Client, shop: str) -> None:
    answer = ingestion.post("/events?ids=perhaps&id=1", json=[event(shop)])
    assert answer.status_code == 400
    assert {error["field"]: error["allowed"] for error in answer.json()["errors"]} == {
        "ids": "Whether the response lists all event ids: true or false.",
        "id": "one of ids",
    }
    assert queued(shop) == []
