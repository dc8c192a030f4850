"""What cannot be stored is filed, can be looked into, and replayed or discarded."""

import base64
import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest

import actors
from db.events.event import ReceivedEvent
from tests.builders.factories import batch, event, received
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.servers.servers import until

pytestmark = pytest.mark.usefixtures("worker")


def spoiled(one: ReceivedEvent, **fields: Any) -> dict[str, Any]:
    """The event as the queue carries it, with fields that ingestion would have refused."""
    return {**json.loads(batch(one))[0], **fields}


def put(events: Sequence[Any]) -> None:
    """Put events into the queue, past all validation."""
    actors.events.store_events.send(json.dumps(events).encode())


def letters(reporting: httpx.Client, shop: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = reporting.get("/dead-letters", params={"site_id": shop, **parameters})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["dead_letters"]
    return found


def dead(reporting: httpx.Client, shop: str, events: int) -> list[dict[str, Any]]:
    """The letters of a site, once there are so many."""
    until(lambda: len(letters(reporting, shop)) == events)
    return letters(reporting, shop)


def settled(conn: Connection, shop: str) -> tuple[int, int, int]:
    query = "select sum(stored)::int, sum(duplicates)::int, sum(dead)::int from settled_days where site_id = %s"
    stored, duplicates, dead = conn.execute(query, [shop]).fetchone() or (0, 0, 0)
    return stored, duplicates, dead


def test_a_letter_says_what_it_was_and_why_it_failed(reporting: httpx.Client, shop: str, other: str) -> None:
    one = received(shop, event_type="click", user_id="ann")
    payload = spoiled(one, path=None)
    put([payload, spoiled(received(other))])
    (letter,) = dead(reporting, shop, 1)
    assert letters(reporting, other) == []
    assert letter["state"] == "dead"
    assert letter["event_id"] == one.event_id
    assert letter["event_type"] == "click"
    assert letter["queue"] == "events"
    assert letter["sqlstate"] == "23502"
    assert "null value" in letter["error"]
    assert letter["attempts"] == 1
    opened = reporting.get(f"/dead-letters/{letter['id']}").json()
    assert opened.pop("payload") == payload
    assert json.loads(base64.b64decode(opened.pop("payload_base64"))) == payload
    assert opened == letter


def test_three_poison_events_among_a_thousand_are_stored_once_they_are_mended(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    events = [spoiled(received(shop, user_id=f"user {number % 100}")) for number in range(1_000)]
    poison = [events[number] for number in (0, 617, 999)]
    for one in poison:
        one["path"] = None
    put(events)
    found = {letter["event_id"]: letter for letter in dead(reporting, shop, 3)}
    assert settled(conn, shop) == (997, 0, 3)
    for one in poison:
        mended = {"site_id": shop, "event_type": "page_view", "path": "/mended"}
        answer = reporting.post(f"/dead-letters/{found[one['event_id']]['id']}/replay", json=mended)
        assert answer.status_code == 200
        assert answer.json()["state"] == "stored"
        query = "select path, event_time = %s from events where site_id = %s and event_id = %s"
        assert conn.execute(query, [one["timestamp"], shop, one["event_id"]]).fetchone() == ("/mended", True)
    assert settled(conn, shop) == (1_000, 0, 0)
    assert differences(conn, shop) == {}


def test_a_replay_that_fails_says_why_and_one_that_was_done_does_nothing_more(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    one = received(shop)
    put([spoiled(one, path=None)])
    (letter,) = dead(reporting, shop, 1)
    failed = reporting.post(f"/dead-letters/{letter['id']}/replay").json()
    assert (failed["state"], failed["attempts"]) == ("dead", 2)
    assert "null value" in failed["error"]
    assert settled(conn, shop) == (0, 0, 1)
    for _ in range(2):
        answer = reporting.post(f"/dead-letters/{letter['id']}/replay", json=event(shop, event_id=one.event_id))
        assert answer.json()["state"] == "stored"
        assert settled(conn, shop) == (1, 0, 0)
    assert reporting.post(f"/dead-letters/{letter['id']}/discard").json()["state"] == "stored"


def test_a_letter_whose_event_is_stored_already_was_a_duplicate(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    one = received(shop)
    put([spoiled(one, path=None)])
    (letter,) = dead(reporting, shop, 1)
    put([spoiled(one)])
    until(lambda: settled(conn, shop) == (1, 0, 1))
    answer = reporting.post(f"/dead-letters/{letter['id']}/replay", json=event(shop, event_id=one.event_id))
    assert answer.json()["state"] == "duplicate"
    assert settled(conn, shop) == (1, 1, 0)


def test_an_event_that_is_mended_has_to_be_valid(reporting: httpx.Client, shop: str) -> None:
    put([spoiled(received(shop), path=None)])
    (letter,) = dead(reporting, shop, 1)
    answer = reporting.post(f"/dead-letters/{letter['id']}/replay", json=event(shop, path=""))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["path"]
    assert letters(reporting, shop) == [letter]


def test_an_event_that_moves_to_another_site_is_accepted_there(
    conn: Connection, reporting: httpx.Client, shop: str, other: str
) -> None:
    put([spoiled(received(shop), path=None)])
    (letter,) = dead(reporting, shop, 1)
    assert reporting.post(f"/dead-letters/{letter['id']}/replay", json=event(other)).json()["state"] == "stored"
    assert settled(conn, shop) == (0, 0, 0)
    assert settled(conn, other) == (1, 0, 0)
    query = "select site_id, events from accepted_days where source = 'replay' and site_id = any(%s) order by events"
    assert conn.execute(query, [[shop, other]]).fetchall() == [(shop, -1), (other, 1)]


def test_a_discarded_letter_still_counts_as_dead_and_can_be_replayed(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    put([spoiled(received(shop), path=None)])
    (letter,) = dead(reporting, shop, 1)
    assert reporting.post(f"/dead-letters/{letter['id']}/discard").json()["state"] == "discarded"
    assert settled(conn, shop) == (0, 0, 1)
    assert reporting.post(f"/dead-letters/{letter['id']}/replay", json=event(shop)).json()["state"] == "stored"
    assert settled(conn, shop) == (1, 0, 0)


def test_letters_are_replayed_and_discarded_by_filter(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    put([spoiled(received(shop, event_type=kind), received_at=None) for kind in ("click", "click", "page_view")])
    dead(reporting, shop, 3)
    heal = """
        update dead_letters
        set payload = convert_to(replace(convert_from(payload, 'UTF8'), 'null', '"2026-03-10T12:00:00Z"'), 'UTF8')
        where site_id = %s and event_type = 'click'
    """
    conn.execute(heal, [shop])
    outcome = reporting.post("/dead-letters/replay", params={"site_id": shop, "event_type": "click"})
    assert outcome.json() == {"letters": 2, "stored": 2, "duplicate": 0, "dead": 0, "discarded": 0, "waiting": 0}
    outcome = reporting.post("/dead-letters/replay", params={"site_id": shop})
    assert outcome.json() == {"letters": 1, "stored": 0, "duplicate": 0, "dead": 1, "discarded": 0, "waiting": 0}
    outcome = reporting.post("/dead-letters/discard", params={"site_id": shop, "sqlstate": "23502"})
    assert outcome.json() == {"letters": 1, "stored": 0, "duplicate": 0, "dead": 0, "discarded": 1, "waiting": 0}
    assert reporting.post("/dead-letters/discard", params={"site_id": shop}).json()["letters"] == 0
    for action in ("replay", "discard"):
        assert reporting.post(f"/dead-letters/{action}").status_code == 400


def test_the_list_is_paged_and_filtered(reporting: httpx.Client, shop: str) -> None:
    put([spoiled(received(shop, event_type=f"type {number}"), path=None) for number in range(5)])
    everything = dead(reporting, shop, 5)
    pages = []
    cursor: str | None = ""
    while cursor is not None:
        page = reporting.get("/dead-letters", params={"site_id": shop, "limit": 2, "cursor": cursor}).json()
        pages.append(page["dead_letters"])
        cursor = page["next_cursor"]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [letter for page in pages for letter in page] == everything
    assert len(letters(reporting, shop, event_type="type 3")) == 1
    assert len(letters(reporting, shop, error="null value", sqlstate="23502", state="dead")) == 5
    assert letters(reporting, shop, error="another") == []
    failed_at = everything[0]["failed_at"]
    assert letters(reporting, shop, failed_to=failed_at) == []
    assert len(letters(reporting, shop, failed_from=failed_at)) == 5
    assert letters(reporting, shop, state="stored") == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("state", "alive"), ("limit", "0"), ("limit", "1001"), ("cursor", "?"), ("cursor", "AAAA"), ("sqlstate", "1"),
     ("failed_from", "today"), ("failed_from", "-58800"),
     ("failed_to", "2026-01-02T03:04:05"), ("site_id", "x" * 256), ("colour", "red")],
)  # fmt: skip
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameter: str, value: str) -> None:
    answer = reporting.get("/dead-letters", params={parameter: value})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [parameter]


def test_a_letter_that_is_not_there_is_not_found(reporting: httpx.Client) -> None:
    for answer in (
        reporting.get(f"/dead-letters/{uuid4()}"),
        reporting.get("/dead-letters/7"),
        reporting.post(f"/dead-letters/{uuid4()}/replay"),
        reporting.post(f"/dead-letters/{uuid4()}/discard"),
    ):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
