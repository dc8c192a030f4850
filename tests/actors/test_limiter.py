"""Limits: token buckets in Redis, shared by processes, which take a few tokens at once."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
import redis as client_library

from actors.limits.limiter import MOST_AT_ONCE, PART, Limiter, Policy, Standing
from actors.limits.local_bucket import LocalBuckets
from actors.queue.producer import Producer
from tests.conftest import MakeBroker
from tests.servers.servers import Redis

Result = TypeVar("Result")
Work = Callable[[list[Limiter]], Awaitable[Result]]
#: A window so long that nothing comes back while a test runs.
LONG = 10_000


@pytest.fixture
def processes(redis: Redis, make_broker: MakeBroker) -> Callable[..., Result]:
    """Runs work with the limiters of several processes: `processes(policy, work)` returns what it returns."""

    def run(policy: Policy, work: Work[Result], *, count: int = 2, local: bool = False) -> Result:
        async def connected() -> Result:
            producers = [Producer(make_broker(), redis.server.url) for _ in range(count)]
            try:
                return await work([Limiter(producer, policy, local=local) for producer in producers])
            finally:
                for producer in producers:
                    await producer.close()

        return asyncio.run(connected())

    return run


async def taken(limiters: list[Limiter], tries: int) -> int:
    """How many of so many tries are allowed, by turns."""
    standings = [await limiters[number % len(limiters)].take("ann") for number in range(tries)]
    return sum(standing is None or standing.allowed for standing in standings)


@pytest.mark.parametrize("size", [1, 7, 59, 600])
def test_a_bucket_is_as_large_over_two_processes(processes: Callable[..., int], size: int) -> None:
    allowed = processes(Policy("reports", size, LONG), lambda limiters: taken(limiters, 2 * size))
    unused = max(1, min(MOST_AT_ONCE, size // PART)) - 1  # of the other process, whose turn it is not
    assert size - unused <= allowed <= size


def test_those_who_come_at_once_get_no_more(processes: Callable[..., int]) -> None:
    async def at_once(limiters: list[Limiter]) -> int:
        tries = [limiter.take("ann") for limiter in limiters for _ in range(100)]
        return sum(bool(standing and standing.allowed) for standing in await asyncio.gather(*tries))

    assert processes(Policy("reports", 50, LONG), at_once) == 50


def test_everybody_has_their_own(processes: Callable[..., list[bool]]) -> None:
    async def work(limiters: list[Limiter]) -> list[bool]:
        standings = [await limiters[0].take(who) for who in ("ann", "ann", "bob")]
        return [bool(standing and standing.allowed) for standing in standings]

    assert processes(Policy("reports", 1, LONG), work) == [True, False, True]


def test_tokens_come_back_when_it_says(processes: Callable[..., bool]) -> None:
    async def work(limiters: list[Limiter]) -> bool:
        one, other = limiters
        assert await taken([one], 5) == 5
        refused = await other.take("ann")
        assert refused
        assert not refused.allowed
        assert 0 < refused.until_one <= 0.2 < refused.until_full <= 1
        await asyncio.sleep(refused.until_one + 0.01)
        again = await other.take("ann")
        return bool(again and again.allowed)

    assert processes(Policy("reports", 5, 1), work)


def test_what_costs_more_is_owed_in_every_process(processes: Callable[..., list[Standing]]) -> None:
    async def work(limiters: list[Limiter]) -> list[Standing]:
        one, other = limiters
        found = [await one.take("ann"), await one.charge("ann", 9), await other.take("ann")]
        assert None not in found
        return [standing for standing in found if standing]

    first, charged, refused = processes(Policy("reports", 5, 50), work)
    assert (first.allowed, first.left) == (True, 4)
    assert (charged.allowed, charged.left) == (True, 0)
    assert not refused.allowed  # five less ten: six have to come back, one each 10 s
    assert 55 < refused.until_one <= 60


def test_with_failures_tokens_come_back_more_slowly(processes: Callable[..., list[float]]) -> None:
    async def work(limiters: list[Limiter]) -> list[float]:
        waits = []
        for _ in range(3):
            for limiter in limiters:
                await limiter.failed("ann")
            await taken(limiters, 5)
            limiters[0].shares.clear()  # as a process that knows nothing yet
            standing = await limiters[0].take("ann")
            assert standing
            waits.append(standing.until_one)
        return waits

    first, second, third = processes(Policy("logins", 2, LONG), work)
    assert second == pytest.approx(2 * first, rel=0.01)
    assert third == pytest.approx(4 * first, rel=0.01)


def test_failures_are_not_forgotten_while_somebody_goes_on(processes: Callable[..., float]) -> None:
    async def work(limiters: list[Limiter]) -> float:
        for _ in range(2):  # as slowly as tokens come back: the bucket is full all the time
            await limiters[0].failed("ann")
            await asyncio.sleep(0.2)
        assert await taken(limiters, 1) == 1
        refused = await limiters[0].take("ann")
        assert refused
        return refused.until_one

    assert processes(Policy("logins", 1, 1), work) == pytest.approx(4, abs=0.1)


def test_what_is_full_again_is_not_kept(processes: Callable[..., None], redis: Redis) -> None:
    async def work(limiters: list[Limiter]) -> None:
        await limiters[0].take("ann")
        with client_library.Redis.from_url(redis.server.url) as client:
            (key,) = client.keys("*limit*")
            assert key == b"test:limit:reports:ann"
            assert 0 < client.pttl(key) <= 1000 * LONG

    processes(Policy("reports", 5, LONG), work)


def test_it_writes_nothing_that_waits_for_the_disk(processes: Callable[..., None], redis: Redis) -> None:
    async def work(limiters: list[Limiter]) -> None:
        with client_library.Redis.from_url(redis.server.url) as client:
            before = client.info("persistence")["aof_current_size"]
            await taken(limiters, 20)
            assert client.info("persistence")["aof_current_size"] == before

    processes(Policy("reports", 5, LONG), work)


@pytest.mark.parametrize("stopped", [True, False])
def test_without_redis_there_is_no_limit_or_one_a_process(
    processes: Callable[..., int], redis: Redis, stopped: bool
) -> None:
    if stopped:
        redis.signal(signal.SIGSTOP)
    else:
        redis.child.kill()
    policy = Policy("logins", 3, LONG)
    try:
        assert processes(policy, lambda limiters: taken(limiters, 20)) == 20
        assert processes(policy, lambda limiters: taken(limiters, 20), local=True) == 2 * 3
    finally:
        if stopped:
            redis.signal(signal.SIGCONT)


def test_a_bucket_of_a_process_is_as_one_in_redis() -> None:
    buckets = LocalBuckets(2, 2 * 1000 * LONG)
    replies = [buckets.ask("ann", wanted=1, back=0, failures=0).taken for _ in range(3)]
    assert replies == [1, 1, 0]
    waits = [buckets.ask("ann", wanted=0, back=0, failures=2).until_one for _ in range(3)]
    assert waits == pytest.approx([2000 * LONG, 4000 * LONG, 8000 * LONG], rel=0.01)
    assert buckets.ask("bob", wanted=5, back=0, failures=0).taken == 2
