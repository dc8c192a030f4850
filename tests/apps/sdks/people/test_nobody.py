"""What programs write as a user's id where they know none is nobody: the next id counts, else none does."""

import json
import sys
from typing import Any

import httpx
import pytest

from db.events import spellings
from db.events.spellings import is_nobody
from tests.builders.factories import event
from tests.servers.queue import queued

NOBODIES = [
    *("NULL", "null", "Null", "undefined", r"\N", "None", "nil", "nan", "NaN", "N/A", "(not set)", "[object Object]"),
    *("0", "-", "00000000-0000-0000-0000-000000000000", "anonymous", "guest", "true", "false", "distinct_id", "id"),
    *("", " ", "\t\n\u3000", '"null"', "'undefined'", '""', " null "),
]
SOMEBODIES = [
    "ann",
    "nullah",
    "None1",
    "10",
    "0a",
    "00000000-0000-0000-0000-000000000001",
    "nancy",
    "-1",
    "x null",
    "NN",
]
EMPTY: list[Any] = [None, [], {}, True, 0, "null"]


def test_nobody_is_told_from_users() -> None:
    assert [one for one in [*NOBODIES, *SOMEBODIES] if is_nobody(one)] == NOBODIES


def test_nobody_is_told_by_the_last_character_first() -> None:
    """As db.events.event.receive does: no character that may end one is left out, in any script."""
    last = {one[-1:] for one in spellings.NOBODIES}
    every = map(chr, range(sys.maxunicode + 1))
    missed = [one for one in every if (one.isspace() or one.lower() in last) and one not in spellings.ENDS_OF_NOBODIES]
    assert missed == []


def test_no_protocol_takes_nobody_for_a_user(ingestion: httpx.Client, shop: str) -> None:
    users = [*NOBODIES, 0]
    many: dict[str, Any] = {
        "/events": [event(shop, user_id=one) for one in users],
        "/v1/batch": {"writeKey": shop, "batch": [{"type": "page", "userId": one} for one in users]},
        "/batch": {"api_key": shop, "batch": [{"event": "x", "distinct_id": one} for one in users]},
    }
    for path, body in many.items():
        assert ingestion.post(path, json=body).status_code in (200, 202)
    assert ingestion.post("/event", json=event(shop, user_id="NULL")).status_code == 202
    found = queued(shop)
    assert len(found) == len(many) * len(users) + 1
    assert [one for one in found if "user_id" in one] == []


def test_visitors_who_are_nobody_are_told_apart_for_a_day(ingestion: httpx.Client, shop: str) -> None:
    for one in [*NOBODIES, 0, None]:
        payload = {"website": shop, "url": "/", "id": one}
        assert ingestion.post("/api/send", json={"type": "event", "payload": payload}).status_code == 200
        events = [{"event_type": "x", "path": "/", "user_id": one}]
        assert ingestion.post("/tracker", json={"site_id": shop, "events": events}).status_code == 202
    (visitor,) = {one["visitor_id"] for one in queued(shop)}
    assert visitor.startswith("daily-")
    assert [one for one in queued(shop) if "user_id" in one] == []


@pytest.mark.parametrize("nobody", EMPTY, ids=repr)
def test_the_next_id_that_is_given_counts(ingestion: httpx.Client, shop: str, nobody: Any) -> None:
    segment = {"type": "page", "userId": nobody, "anonymousId": "ann"}
    posthog = {"event": "x", "distinct_id": nobody, "properties": {"distinct_id": "ann"}}
    for path, body in (
        ("/v1/batch", {"writeKey": shop, "batch": [segment]}),
        ("/batch", {"api_key": shop, "batch": [posthog]}),
    ):
        assert ingestion.post(path, content=json.dumps(body)).status_code == 200
    (visit,) = [one for one in queued(shop) if one["event_type"] == "page_view"]
    (capture,) = [one for one in queued(shop) if one["event_type"] == "x"]
    assert (visit["visitor_id"], capture["user_id"]) == ("ann", "ann")


def test_somebody_stays_who_they_are(ingestion: httpx.Client, shop: str) -> None:
    answer = ingestion.post("/events", json=[event(shop, user_id=one) for one in [*SOMEBODIES, 17]])
    assert answer.json()["accepted"] == len(SOMEBODIES) + 1
    assert [one["user_id"] for one in queued(shop)] == [*SOMEBODIES, "17"]
