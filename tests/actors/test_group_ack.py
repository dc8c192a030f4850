"""Acknowledging together: one command for all that wait, and nobody is told that it is done before it is."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import redis as redis_library

from actors.durable.broker import connect
from actors.durable.group_ack import Acknowledgements
from tests.servers.servers import Redis, until

IDS = [f"message {number}" for number in range(16)]


@pytest.fixture
def client(redis: Redis) -> redis_library.Redis:
    """With 16 messages in its queue, all of them fetched."""
    client = connect(redis.server.url)
    client.hset("messages", mapping=dict.fromkeys(IDS, "data"))
    client.sadd("fetched", *IDS)
    return client


@contextmanager
def all_at_once(client: redis_library.Redis) -> Iterator[list[Future[None]]]:
    """16 threads that acknowledge a message each, and are about to send what they have in the end of the context."""
    acknowledgements = Acknowledgements(client, fetched="fetched", messages="messages")
    with ThreadPoolExecutor(len(IDS)) as threads, acknowledgements.sending:
        futures = [threads.submit(acknowledgements.add, redis_id) for redis_id in IDS]
        until(lambda: len(acknowledgements.next.ids) == len(IDS))
        yield futures
    assert acknowledgements.next.ids == []


def test_those_who_wait_go_together(client: redis_library.Redis) -> None:
    with all_at_once(client) as futures:
        assert not any(future.done() for future in futures)
        client.config_resetstat()
    assert [future.result() for future in futures] == [None] * len(IDS)
    assert client.exists("messages", "fetched") == 0
    calls = client.info("commandstats")
    assert calls["cmdstat_evalsha"]["calls"] <= 2  # the first is refused where Redis does not know the script yet


def test_a_message_that_went_to_another_worker_stays_there(client: redis_library.Redis) -> None:
    client.srem("fetched", IDS[3])
    with all_at_once(client):
        pass
    assert client.hkeys("messages") == [IDS[3].encode()]


def test_without_redis_all_of_them_are_told_and_can_try_again(client: redis_library.Redis, redis: Redis) -> None:
    with all_at_once(client) as futures:
        redis.child.kill()
    assert all(isinstance(future.exception(), redis_library.ConnectionError) for future in futures)
    redis.start()
    assert client.hlen("messages") == len(IDS)
    with all_at_once(client) as futures:
        pass
    assert [future.exception() for future in futures] == [None] * len(IDS)
    assert client.exists("messages", "fetched") == 0
