"""What all ingestion processes know alike: the salt of a day, and when an event first came."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from actors.queue.first_seen import first_times
from actors.queue.producer import Producer, QueueUnavailable
from actors.queue.visitor_salt import DailySalt
from tests.conftest import MakeBroker
from tests.servers.servers import Redis, until

Answer = TypeVar("Answer")
Ask = Callable[[Callable[[Producer], Awaitable[Any]]], Any]


@pytest.fixture
def ask(make_broker: MakeBroker, redis: Redis) -> Ask:
    """Runs something with a sender of its own, as a process of ingestion would."""
    broker = make_broker()

    def run(work: Callable[[Producer], Awaitable[Any]]) -> Any:
        async def with_sender() -> Any:
            sender = Producer(broker, redis.server.url)
            try:
                return await work(sender)
            finally:
                await sender.close()

        return asyncio.run(with_sender())

    return run


def test_all_processes_have_the_salt_of_the_day(ask: Ask) -> None:
    now = datetime.now(UTC)
    first, second = (ask(lambda sender: DailySalt(sender).at(now)) for _ in range(2))
    assert first == second
    assert len(first) == 32
    assert ask(lambda sender: DailySalt(sender).at(now + timedelta(days=1))) != first


def test_where_the_day_of_redis_is_over_the_salt_is_the_next_days(ask: Ask) -> None:
    now = datetime.now(UTC)
    assert ask(lambda sender: DailySalt(sender).at(now - timedelta(days=1))) == ask(
        lambda sender: DailySalt(sender).at(now)
    )
    with pytest.raises(QueueUnavailable, match="a day ahead"):
        ask(lambda sender: DailySalt(sender).at(now - timedelta(days=2)))


def test_a_process_forgets_the_salt_at_the_end_of_the_day(ask: Ask) -> None:
    end = datetime.combine(datetime.now(UTC).date() + timedelta(days=1), datetime.min.time(), UTC)

    async def salts_after(sender: Producer) -> list[int]:
        salt = DailySalt(sender)
        await salt.at(end - timedelta(milliseconds=1))
        before = len(salt.salts)
        await asyncio.sleep(0.05)
        return [before, len(salt.salts)]

    assert ask(salts_after) == [1, 0]


def test_a_new_salt_has_the_log_rewritten_without_the_old_one(ask: Ask, redis: Redis, make_broker: MakeBroker) -> None:
    client = make_broker().client

    def logged() -> bytes:
        return b"".join(path.read_bytes() for path in redis.server.folder.rglob("*.aof"))

    client.set("test:salt:2026-01-01", "the salt of a day that is over", px=1)
    until(lambda: client.get("test:salt:2026-01-01") is None)
    assert b"the salt of a day that is over" in logged()
    ask(lambda sender: DailySalt(sender).at(datetime.now(UTC)))
    until(lambda: b"the salt of a day that is over" not in logged())


def test_the_first_time_of_an_event_stays(ask: Ask) -> None:
    now = datetime(2026, 3, 10, 12, 0, 0, 123_000, tzinfo=UTC)
    later = now + timedelta(hours=3)
    assert ask(lambda sender: first_times(sender, ["shop a", "shop b"], now)) == [now, now]
    assert ask(lambda sender: first_times(sender, ["shop c", "shop b"], later)) == [later, now]


def test_without_redis_nothing_is_known(ask: Ask, redis: Redis) -> None:
    redis.child.kill()
    now = datetime.now(UTC)
    for work in (lambda sender: DailySalt(sender).at(now), lambda sender: first_times(sender, ["shop a"], now)):
        with pytest.raises(QueueUnavailable):
            ask(work)
