"""What one look at the queue tells, on a Redis of the test's own."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any, cast

import dramatiq
import pytest
from dramatiq.message import Message

import actors
from actors.durable.broker import DurableBroker
from actors.durable.heartbeat import Heartbeat
from actors.queue.producer import Producer, QueueUnavailable
from actors.queue.state import QueueReader, QueueState
from tests.servers.queue import enqueue_old
from tests.servers.servers import Redis, until

Look = Callable[[], QueueState]


@pytest.fixture
def broker(redis: Redis) -> DurableBroker:
    return make_broker(redis)


@pytest.fixture
def look(redis: Redis, broker: DurableBroker) -> Look:
    return lambda: look_at(redis, broker)


def look_at(redis: Redis, broker: DurableBroker) -> QueueState:
    async def read() -> QueueState:
        reader = QueueReader(broker, redis.server.url)
        try:
            return await reader.read()
        finally:
            await reader.close()

    return asyncio.run(read())


def make_broker(redis: Redis, **options: Any) -> DurableBroker:
    broker = DurableBroker(redis.server.url, namespace="test", middleware=[], **options)
    broker.declare_queue("events")
    return broker


def message(queue_name: str = "events") -> Message[None]:
    return Message(queue_name=queue_name, actor_name="store_events", args=(b"[]",), kwargs={}, options={})


def held(broker: DurableBroker) -> list[bytes]:
    """The ids of what was fetched and not settled."""
    return list(cast("set[bytes]", broker.client.smembers(f"test:__acks__.{broker.broker_id}.events")))


def test_an_empty_queue_has_nothing_old_and_its_redis_is_described(look: Look) -> None:
    state = look()
    assert (state.waiting, state.held, state.delayed, state.dead, state.unsettled) == (0, 0, 0, 0, 0)
    assert (state.oldest_seconds, state.workers) == (0, 0)
    assert state.memory_used > 0
    assert state.memory_limit == 0
    assert (state.memory_of_machine or 0) > state.memory_used
    assert (state.eviction_policy, state.append_only, state.append_failed) == ("noeviction", True, False)
    assert state.weaknesses() == []


def test_messages_are_counted_by_where_they_are(broker: DurableBroker, look: Look) -> None:
    for _ in range(5):
        broker.enqueue(message())
    broker.enqueue(message(), delay=60_000)
    broker.enqueue(message("other"))
    broker.do_fetch("events", 3)
    broker.do_nack("events", held(broker)[0])
    state = look()
    assert (state.waiting, state.held, state.delayed, state.dead) == (2, 2, 1, 1)
    assert state.unsettled == 5


def test_the_oldest_may_be_in_line_or_in_the_hands_of_a_worker(broker: DurableBroker, look: Look) -> None:
    enqueue_old(broker, seconds=500)
    enqueue_old(broker, seconds=300)
    broker.enqueue(message())
    assert 500 <= look().oldest_seconds < 600
    broker.do_fetch("events", 1)
    assert 500 <= look().oldest_seconds < 600
    broker.do_ack("events", held(broker)[0])
    assert 300 <= look().oldest_seconds < 400
    broker.do_fetch("events", 1)
    broker.do_fetch("events", 1)
    assert 300 <= look().oldest_seconds < 400


def test_a_message_that_waits_for_its_retry_does_not_make_the_queue_old(broker: DurableBroker, look: Look) -> None:
    enqueue_old(broker, seconds=500, queue_name="events.DQ")
    assert look().oldest_seconds == 0
    assert look().delayed == 1


def test_an_id_whose_message_was_settled_elsewhere_does_not_make_the_queue_old(
    broker: DurableBroker, look: Look
) -> None:
    enqueue_old(broker, seconds=500)
    broker.do_fetch("events", 1)
    broker.client.hdel("test:events.msgs", held(broker)[0])
    assert look().oldest_seconds == 0


def test_a_worker_counts_from_its_start_to_its_end_and_a_sender_does_not(
    redis: Redis, broker: DurableBroker, look: Look
) -> None:
    async def send() -> None:
        sender = Producer(broker, redis.server.url)
        await sender.send(actors.events.store_events, (b"[]",))
        await sender.close()

    asyncio.run(send())
    assert look().workers == 0
    working = [make_broker(redis), make_broker(redis)]
    workers = []
    for each in working:
        each.add_middleware(Heartbeat(each))
        workers.append(dramatiq.Worker(each, worker_threads=1))
        workers[-1].start()
    until(lambda: look().workers == 2)
    workers[0].stop()
    assert look().workers == 1
    workers[1].stop()
    assert look().workers == 0


def test_a_worker_that_was_killed_counts_until_its_heartbeat_is_too_old(
    broker: DurableBroker, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat = Heartbeat(broker)
    heartbeat._beat()
    assert look().workers == 1
    monkeypatch.setattr(broker, "heartbeat_timeout", 1)
    until(lambda: look().workers == 0)


def test_a_redis_that_evicts_or_does_not_persist_is_named(broker: DurableBroker, look: Look) -> None:
    broker.client.config_set("maxmemory-policy", "allkeys-lru")
    (weakness,) = look().weaknesses()
    assert "maxmemory-policy is allkeys-lru" in weakness
    broker.client.config_set("appendonly", "no")
    assert ["appendonly is off" in weakness for weakness in look().weaknesses()] == [False, True]


def test_a_redis_that_does_not_answer_is_away(redis: Redis) -> None:
    broker = make_broker(redis, socket_timeout=600)  # no timeout of the socket's ends this
    redis.signal(signal.SIGSTOP)
    with pytest.raises(QueueUnavailable, match="no answer within"):
        look_at(redis, broker)
    redis.signal(signal.SIGCONT)
    assert look_at(redis, broker).waiting == 0
    redis.child.kill()
    with pytest.raises(QueueUnavailable, match="Error"):
        look_at(redis, broker)


def test_a_look_survives_a_restart_of_redis(redis: Redis, broker: DurableBroker) -> None:
    async def look_twice() -> None:
        reader = QueueReader(broker, redis.server.url)
        await reader.read()
        redis.restart()
        await reader.read()
        await reader.close()

    asyncio.run(look_twice())
