"""What the workers file as dead letters: messages that fail too often, or cannot be read."""

import json
from typing import Any
from uuid import UUID, uuid4

import dramatiq
import httpx
import pytest

import actors
from actors.broker import broker
from actors.durable.broker import DurableBroker
from tests.apps.dead_letters.test_dead_letters import dead, settled, spoiled
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.servers import until

pytestmark = pytest.mark.usefixtures("worker")


def test_a_message_that_fails_too_often_is_filed_event_by_event(
    worker: DurableBroker, conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    @dramatiq.actor(broker=worker, queue_name="events", max_retries=2, min_backoff=10)
    def fail(_: bytes) -> None:
        raise RuntimeError("a bug of ours")

    one, two = received(shop), received(shop)
    fail.send(json.dumps([spoiled(one), spoiled(two)]).encode())
    found = dead(reporting, shop, 2)
    assert {letter["event_id"] for letter in found} == {one.event_id, two.event_id}
    assert {(letter["error"], letter["attempts"]) for letter in found} == {("RuntimeError: a bug of ours", 3)}
    assert settled(conn, shop) == (0, 0, 2)
    outcome = reporting.post("/dead-letters/replay", params={"site_id": shop})
    assert outcome.json()["stored"] == 2
    assert settled(conn, shop) == (2, 0, 0)
    assert broker.client.zcard(f"{broker.namespace}:events.XQ") == 0


@pytest.mark.parametrize("unreadable", [b"\xff", b"{}", b"\x80"], ids=repr)
def test_a_message_that_cannot_be_read_is_filed_as_it_is(conn: Connection, unreadable: bytes) -> None:
    data = unreadable + uuid4().hex.encode()
    broker.do_enqueue("events", str(uuid4()), data)
    query = "select message_id, site_id from dead_letters where payload = %s"
    until(lambda: conn.execute(query, [data]).fetchall() == [(None, None)])


def test_a_message_for_an_unknown_actor_is_filed(conn: Connection, shop: str) -> None:
    message = actors.events.store_events.message(batch(received(shop))).copy(actor_name="of_a_later_version")
    broker.enqueue(message)
    query = "select message_id, error from dead_letters where site_id = %s"
    until(lambda: conn.execute(query, [shop]).fetchall() != [])
    ((message_id, error),) = conn.execute(query, [shop]).fetchall()
    assert message_id == UUID(message.message_id)
    assert error.startswith("ActorNotFound: ")


def test_a_letter_is_filed_once(conn: Connection, shop: str) -> None:
    message: dramatiq.Message[Any] = actors.events.store_events.message(batch(received(shop)))
    for _ in range(2):
        actors.dead_letters.file_dead_message.send(message.encode(), "a test")
    until(lambda: broker.client.hlen(f"{broker.namespace}:dead_letters.msgs") == 0)
    assert settled(conn, shop) == (0, 0, 1)
