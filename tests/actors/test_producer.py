"""Sending from an event loop: a message is in the queue and counted as accepted, both or neither, once."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

import actors
from actors.durable.broker import DurableBroker
from actors.queue.accepted_counts import forget_counted, read_accepted
from actors.queue.producer import Producer
from apps.up.embedded.redis import EmbeddedRedis
from tests.servers.servers import eventually, temporary_folder
from tests.servers.wire import Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    """The way to a Redis of the test's own."""
    folder = temporary_folder()
    server = EmbeddedRedis(folder / "redis")
    child = server.child(log=folder / "redis.log")
    child.start()
    eventually(server.probe)
    wire = Wire(server.socket)
    yield wire
    wire.close()
    child.kill()
    shutil.rmtree(folder)


def send(wire: Wire, messages: int, *, lose_reply_of: int | None = None) -> DurableBroker:
    """Send messages of two events each; the reply to one of them is lost."""
    url = f"redis://127.0.0.1:{wire.port}/0"
    broker = DurableBroker(url, namespace="test", middleware=[])

    async def run() -> None:
        sender = Producer(broker, url)
        for number in range(messages):
            wire.lose_reply_of = 1 if number == lose_reply_of else None
            accepted = {("shop", "2026-01-02"): 1, ("a b", "2026-01-03"): 1}
            await sender.send(actors.events.store_events, (b"[1,2]",), accepted=accepted)
        await sender.close()

    asyncio.run(run())
    return broker


def test_a_message_whose_reply_was_lost_is_queued_and_counted_once(wire: Wire) -> None:
    broker = send(wire, 3, lose_reply_of=1)
    assert wire.lost == 1
    assert broker.client.llen("test:events") == broker.client.hlen("test:events.msgs") == 3
    assert broker.client.hgetall("test:accepted") == {b"2026-01-02 shop": b"3", b"2026-01-03 a b": b"3"}


def test_what_was_counted_is_kept_and_forgotten_only_when_its_day_is_long_over(wire: Wire) -> None:
    broker = send(wire, 2)
    today = datetime.now(UTC).date()
    broker.client.hset("test:accepted", f"{today} shop", 7)
    accepted = read_accepted(broker)
    assert {(count.site_id, count.day, count.events) for count in accepted.counts} == {
        ("shop", date(2026, 1, 2), 2),
        ("a b", date(2026, 1, 3), 2),
        ("shop", today, 7),
    }
    forget_counted(broker, accepted)
    assert broker.client.hgetall("test:accepted") == {f"{today} shop".encode(): b"7"}
    again = read_accepted(broker)
    assert again.source == accepted.source
    broker.client.flushall()
    assert read_accepted(broker).source != accepted.source
