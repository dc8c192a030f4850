"""A transaction of Redis commands: `replies = await execute(producer, lambda pipe: pipe.get("key"))`."""

import asyncio
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from actors.queue.producer import Producer, QueueUnavailable

#: Seconds within which Redis has to respond.
REDIS_TIMEOUT = 0.8


async def execute(producer: Producer, add_commands: Callable[[Any], None]) -> list[Any]:
    """Run these commands in one transaction and return the replies; retried once, because they are idempotent."""

    async def attempt() -> list[Any]:
        pipe = producer.client.pipeline(transaction=True)
        add_commands(pipe)
        replies: list[Any] = await pipe.execute()
        return replies

    try:
        async with asyncio.timeout(REDIS_TIMEOUT):
            try:
                return await attempt()
            except RedisError:
                return await attempt()
    except (RedisError, TimeoutError) as error:
        raise QueueUnavailable(str(error) or f"no answer within {REDIS_TIMEOUT} s") from error
