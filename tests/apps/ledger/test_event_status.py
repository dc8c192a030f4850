"""GET /events/{event_id}: what became of an event. No worker runs: what is queued stays so."""

from uuid import uuid4

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

import actors
from actors.broker import broker
from apps.reporting import ReportingApp
from apps.reporting_resources import ReportingResources
from db.settings import load
from db.store.events import Message, store_events
from db.store.whole_or_apart import store_apart
from tests.builders.factories import NOW, batch, event, received
from tests.conftest import Connection
from tests.servers import queue
from tests.servers.key import AUTHORIZED


def receipt(reporting: httpx.Client, shop: str, event_id: str) -> dict[str, object]:
    answer = reporting.get(f"/events/{event_id}", params={"site_id": shop})
    assert answer.status_code == 200, answer.text
    known: dict[str, object] = {name: value for name, value in answer.json().items() if value is not None}
    return known


def test_an_event_is_queued_then_stored(
    ingestion: httpx.Client, reporting: httpx.Client, conn: Connection, shop: str, other: str
) -> None:
    one = received(shop)
    answer = ingestion.post("/event", json=event(shop, event_id=one.event_id))
    queued = receipt(reporting, shop, one.event_id)
    assert queued.keys() == {"status", "received_at", "secret_key"}
    assert (queued["status"], queued["secret_key"]) == ("queued", False)
    assert receipt(reporting, other, one.event_id) == {"status": "unknown"}
    message_id = answer.headers["x-message-id"]
    assert broker.client.hexists(f"{broker.namespace}:events.msgs", message_id)
    store_events(conn, batch(one))
    stored = receipt(reporting, shop, one.event_id)
    assert stored.keys() == {"status", "received_at", "event_time", "stored_at", "secret_key"}
    assert (stored["status"], stored["secret_key"]) == ("stored", False)
    assert str(stored["event_time"]).replace("Z", "+00:00") == NOW.isoformat()
    assert receipt(reporting, other, one.event_id) == {"status": "unknown"}


@pytest.mark.parametrize("stranger_stored", [False, True])
def test_of_two_events_with_one_id_it_tells_of_the_one_with_a_key(
    ingestion: httpx.Client, reporting: httpx.Client, conn: Connection, shop: str, stranger_stored: bool
) -> None:
    event_id = str(uuid4())
    ingestion.post("/event", json=event(shop, event_id=event_id))
    if stranger_stored:
        store_events(conn, batch(received(shop, event_id=event_id)))
    assert receipt(reporting, shop, event_id)["secret_key"] is False
    told = ingestion.post("/event", json=event(shop, event_id=event_id), headers=AUTHORIZED).json()
    assert told["event_id"] == event_id
    (with_key,) = (one for one in queue.queued(shop) if one["event_id"] != event_id)
    if not stranger_stored:
        assert receipt(reporting, shop, event_id)["secret_key"] is True
    store_events(conn, msgspec.json.encode([with_key]))
    for known in (event_id, with_key["event_id"]):
        found = receipt(reporting, shop, known)
        assert (found["status"], found["secret_key"]) == ("stored", True)


def test_a_dead_event_names_its_letter(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    one = received(shop)
    message = Message(str(uuid4()), batch(one).replace(b'"path":"/"', b'"path":null'))
    store_apart(conn, message, queue="events")
    dead = receipt(reporting, shop, one.event_id)
    assert dead["status"] == "dead"
    letter = reporting.get(f"/dead-letters/{dead['dead_letter_id']}").json()
    assert letter["event_id"] == one.event_id


def test_an_event_that_is_about_to_be_filed_is_queued(reporting: httpx.Client, shop: str) -> None:
    one = received(shop)
    actors.dead_letters.file_dead_message.send(actors.events.store_events.message(batch(one)).encode(), "a test")
    assert receipt(reporting, shop, one.event_id)["status"] == "queued"


def test_a_queue_that_is_too_long_is_said_to_be(database_url: str, shop: str) -> None:
    actors.events.store_events.send(batch(received(shop)))
    with TestClient(ReportingApp(ReportingResources(load(), max_searched=1))) as client:
        client.headers.update(AUTHORIZED)
        answer = receipt(client, shop, str(uuid4()))
    assert answer["status"] == "unknown"
    assert "too long to be searched" in str(answer["detail"])


def test_what_is_in_the_queue_and_no_event_of_ours_is_passed_over(reporting: httpx.Client, shop: str) -> None:
    event_id = str(uuid4())
    unreadable = {
        str(uuid4()): data
        for data in (
            b"\xff",
            b"{}",
            f'["{event_id}"]'.encode(),
            actors.events.store_events.message(event_id.encode()).encode(),
        )
    }
    for redis_id, data in unreadable.items():
        broker.do_enqueue("events", redis_id, data)
    assert receipt(reporting, shop, event_id) == {"status": "unknown"}
    for redis_id in unreadable:  # other tests read the queue too
        broker.client.lrem(f"{broker.namespace}:events", 1, redis_id)
        broker.client.hdel(f"{broker.namespace}:events.msgs", redis_id)


def test_a_bad_parameter_is_named(reporting: httpx.Client) -> None:
    answer = reporting.get(f"/events/{uuid4()}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["site_id"]
    assert reporting.get("/events/7", params={"site_id": "shop"}).status_code == 404
