"""The daily salt of pseudonymous visitor ids, shared by all ingestion processes.

$namespace:salt:YYYY-MM-DD: the salt of a day (UTC); expires when the day is over
"""

import asyncio
import logging
import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from redis.exceptions import RedisError, ResponseError

from actors.queue.producer import Producer, QueueUnavailable
from actors.queue.transaction import execute

logger = logging.getLogger(__name__)


class DailySalt:
    """The salt of a day (UTC), the same for all processes; Redis and this process delete it at the end of the day.

    To remove it from the append-only file too, that file is rewritten when the next salt is made.
    """

    def __init__(self, producer: Producer) -> None:
        self.producer = producer
        self.salts: dict[date, bytes] = {}

    async def at(self, now: datetime) -> bytes:
        """The salt of the day of `now`. Raises QueueUnavailable."""
        day = now.astimezone(UTC).date()
        if day not in self.salts:
            # By the clock of Redis the day may be over already.
            salt = await self._shared(day) or await self._shared(day + timedelta(days=1))
            if salt is None:
                raise QueueUnavailable("its clock is a day ahead")
            self.salts[day] = salt
            asyncio.get_running_loop().call_later((_end(day) - now).total_seconds(), self.salts.pop, day, None)
        return self.salts[day]

    async def _shared(self, day: date) -> bytes | None:
        key = f"{self.producer.broker.namespace}:salt:{day}"

        def add_commands(pipe: Any) -> None:
            pipe.set(key, secrets.token_bytes(32), nx=True, exat=_end(day))
            pipe.get(key)

        made, salt = await execute(self.producer, add_commands)
        if made:
            await _rewrite_log(self.producer)
        return salt if salt is None else bytes(salt)


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


async def _rewrite_log(producer: Producer) -> None:
    try:
        await producer.client.bgrewriteaof()
    except ResponseError as error:  # a rewrite is running, or we may not request one
        logger.info("Redis does not rewrite its append-only file now: %s", error)
    except RedisError as error:
        logger.warning("Redis did not rewrite its append-only file: %s", error)
