"""Commands to Redis that are done together: `replies = await execute(producer, lambda pipe: pipe.get("key"))`."""

import asyncio
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from actors.queue.producer import Producer, QueueUnavailable

#: Seconds for Redis to answer.
REDIS_TIMEOUT = 0.8


async def execute(producer: Producer, ask: Callable[[Any], None]) -> list[Any]:
    """Run these commands in one transaction and return the replies; retried once, because they are idempotent."""

    async def attempt() -> list[Any]:
        pipe = producer.client.pipeline(transaction=True)
        ask(pipe)
        answers: list[Any] = await pipe.execute()
        return answers

    try:
        async with asyncio.timeout(REDIS_TIMEOUT):
            try:
                return await attempt()
            except RedisError:
                return await attempt()
    except (RedisError, TimeoutError) as error:
        raise QueueUnavailable(str(error) or f"no answer within {REDIS_TIMEOUT} s") from error
