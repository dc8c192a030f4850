"""POST /event: 202 once the queue has the event, else the reason."""

import gzip
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from apps.sdks.shared.resources import SdkResources
from tests.builders.factories import event
from tests.servers.queue import queued

V7 = "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f"


@pytest.fixture(params=["/event", "/event/"], ids=["fast path", "through Litestar"])
def path(request: pytest.FixtureRequest) -> str:
    """Both ways to the same: the second is taken where a path is not exactly /event."""
    return str(request.param)


def test_what_is_accepted_is_in_the_queue(ingestion: httpx.Client, path: str, shop: str) -> None:
    answer = ingestion.post(path, json=event(shop, user_id="ann", event_id=V7, properties={"a": 1}))
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "status": "queued",
        "message": "Event received and queued for processing",
        "event_id": V7,
    }
    (found,) = queued(shop)
    received_at = found.pop("received_at")
    assert received_at.endswith("Z")
    assert found == event(shop, user_id="ann", event_id=V7, properties={"a": 1}, timestamp="2026-03-10T12:00:00Z")


def test_the_server_makes_an_id_where_there_is_none(ingestion: httpx.Client, path: str, shop: str) -> None:
    made = UUID(ingestion.post(path, json=event(shop)).json()["event_id"])
    assert made.version == 7
    assert [one["event_id"] for one in queued(shop)] == [str(made)]


def test_the_content_type_does_not_matter(ingestion: httpx.Client, path: str, shop: str) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = ingestion.post(path, content=json.dumps(event(shop)), headers={"content-type": content_type})
        assert answer.status_code == 202
    assert len(queued(shop)) == 3


def test_a_compressed_event_is_read(ingestion: httpx.Client, path: str, shop: str) -> None:
    assert ingestion.post(path, content=gzip.compress(json.dumps(event(shop)).encode())).status_code == 202


def test_a_refusal_names_every_bad_field(ingestion: httpx.Client, path: str, shop: str) -> None:
    answer = ingestion.post(path, json={"site_id": shop, "path": "x" * 3000, "timestamp": "yesterday"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["title"], problem["status"], problem["detail"]) == ("Bad Request", 400, "the event is not valid")
    assert [error["field"] for error in problem["errors"]] == ["event_type", "path", "timestamp"]
    assert all(error["reason"] and error["allowed"] for error in problem["errors"])
    assert queued(shop) == []


@pytest.mark.parametrize("code", [0xD83D, 0xDE00], ids=hex)
def test_of_an_emoji_cut_in_two_half_is_replaced(ingestion: httpx.Client, path: str, shop: str, code: int) -> None:
    half = chr(code)
    # A backslash and a whole emoji beside it stay.
    whole = "\\ud83d/\N{GRINNING FACE}\\"
    texts = dict.fromkeys(("event_type", "path", "user_id"), f"{whole}{half} ")
    answer = ingestion.post(path, content=json.dumps(event(shop, **texts, properties={half: [{"title": half}]})))
    assert answer.status_code == 202
    assert "ignored_fields" not in answer.json()
    (found,) = queued(shop)
    assert {name: found[name] for name in texts} == dict.fromkeys(texts, f"{whole}\ufffd ")
    assert found["properties"] == {"\ufffd": [{"title": "\ufffd"}]}


@pytest.mark.parametrize(
    ("fields", "kept", "ignored"),
    [
        (b'"revenue":10,"screen":"x"', {}, ["revenue", "screen"]),
        (
            b'"properties":{"a":NaN,"b":[1,-Infinity],"c":1e999}',
            {"a": None, "b": [1, None], "c": None},
            ["a", "b", "c"],
        ),
        (b'"properties":{"a":undefined,"b":%b}' % (b"9" * 5000), {"a": None, "b": None}, ["a", "b"]),
        (b'"properties":{"title":"%b","a":1}' % (b"x" * 33_000), {"a": 1}, ["title"]),
        (b'"properties":{"title":"x\\u0000","b\\u0000":1}', {"title": "x\ufffd", "b\ufffd": 1}, []),
        (b'"properties":{"title":"x\ty\x01\xff"}', {"title": "x\ty\x01\ufffd"}, ["title"]),
        (b'"properties":{"title":"\\x41\\u12"}', {"title": "\\x41\\u12"}, []),
        (b'"properties":{"a":1,"deep":%b%b}' % (b"[" * 8, b"]" * 8), {"a": 1}, ["deep"]),
        (b'"user_id":"%b"' % (b"u" * 300), {}, ["user_id"]),
        (b'"user_id":NaN,"x":NaN', {}, ["x", "user_id"]),
        (b'"x":tru,"y":%b%b,"properties":{"a":1}' % (b"[" * 5_000, b"]" * 5_000), {"a": 1}, ["x", "y"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_cannot_be_kept_is_named_and_costs_nothing_else(
    ingestion: httpx.Client, path: str, shop: str, fields: bytes, kept: dict[str, Any], ignored: list[str]
) -> None:
    answer = ingestion.post(path, content=json.dumps(event(shop)).encode()[:-1] + b"," + fields + b"}")
    assert answer.status_code == 202, answer.text
    names = [f"properties.{name}" if fields.startswith(b'"properties"') else name for name in ignored]
    assert answer.json().get("ignored_fields", []) == names
    (found,) = queued(shop)
    assert found.get("properties", {}) == kept
    assert "user_id" not in found


def test_of_too_many_properties_a_thousand_are_kept(ingestion: httpx.Client, path: str, shop: str) -> None:
    properties = {f"key {number}": number for number in range(1_100)} | {"deep": dict.fromkeys("abc", 1)}
    answer = ingestion.post(path, json=event(shop, properties=properties)).json()
    (found,) = queued(shop)
    assert found["properties"] == {f"key {number}": number for number in range(1_000)}
    assert len(answer["ignored_fields"]) == 20


def test_the_names_of_ignored_fields_are_bounded(ingestion: httpx.Client, path: str, shop: str) -> None:
    more = {"x" * 1_000 + str(number): number for number in range(30)}
    answer = ingestion.post(path, json=event(shop) | more).json()
    assert answer["ignored_fields"] == ["x" * 100] * 20
    assert len(queued(shop)) == 1


@pytest.mark.parametrize(
    "event_type",
    [
        "pageview",
        "page",
        "Page",
        "PageView",
        "pageView",
        "Page View",
        "page-view",
        "$pageview",
        "page_viewed",
        "PAGE_VIEW",
    ],
)
def test_every_spelling_of_a_page_view_is_one(ingestion: httpx.Client, path: str, shop: str, event_type: str) -> None:
    assert ingestion.post(path, json=event(shop, event_type=event_type)).status_code == 202
    assert [one["event_type"] for one in queued(shop)] == ["page_view"]


def test_other_types_keep_their_names(ingestion: httpx.Client, path: str, shop: str) -> None:
    types = ["page_views", "page_leave", "$pageleave", "pager", "homepage", "my_page_view", "$"]
    for event_type in types:
        assert ingestion.post(path, json=event(shop, event_type=event_type)).status_code == 202
    assert {one["event_type"] for one in queued(shop)} == set(types)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 50_000, b'{"site_id":1e999}', b'{"site_id":}'], ids=repr
)
def test_a_body_that_is_no_event_is_refused(ingestion: httpx.Client, path: str, body: bytes) -> None:
    answer = ingestion.post(path, content=body)
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_body_over_the_limit_is_refused(ingestion: httpx.Client, path: str, shop: str) -> None:
    answer = ingestion.post(path, json=event(shop, padding="x" * 64 * 1024))
    assert answer.status_code == 413
    assert "65,536 bytes" in answer.json()["detail"]


def test_a_body_over_the_limit_that_does_not_say_its_length_is_refused(ingestion: httpx.Client, path: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b" " * 1024

    assert ingestion.post(path, content=endless()).status_code == 413


def test_other_methods_are_refused(ingestion: httpx.Client) -> None:
    answer = ingestion.get("/event")
    assert answer.status_code == 405
    assert answer.json()["title"] == "Method Not Allowed"
    assert set(answer.headers["allow"].split(", ")) == {"OPTIONS", "POST"}


def test_a_fault_of_ours_is_an_answer_too(
    ingestion: httpx.Client, sdk_resources: SdkResources, path: str, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sdk_resources.events.validator, "event", broken)
    answer = ingestion.post(path, json=event(shop))
    assert answer.status_code == 500
    assert answer.json()["detail"] == "something failed here; the log says what"
