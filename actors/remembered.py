"""What all ingestion processes have to know alike, kept in Redis for a day at most.

$namespace:salt:YYYY-MM-DD: the salt of a day (UTC), gone when the day is over
$namespace:first:$site $event_id: when an event without a time of its own first came, in milliseconds since 1970
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from redis.exceptions import RedisError, ResponseError

from actors.sender import QueueAway, Sender

logger = logging.getLogger(__name__)

#: Seconds for Redis to answer.
PATIENCE = 0.8
#: Seconds for which an event that is sent again is recognised, where only the first arrival tells its time.
FIRST_TIME_KEPT = 24 * 60 * 60


class DailySalt:
    """The salt of a day (UTC), the same for all processes, forgotten at its end by Redis and by this process.

    That it leaves the append-only file too takes a rewrite of that, which is asked for when the next salt is made.
    """

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.salts: dict[date, bytes] = {}

    async def at(self, now: datetime) -> bytes:
        """The salt of the day of `now`. Raises QueueAway."""
        day = now.astimezone(UTC).date()
        if day not in self.salts:
            # By the clock of Redis the day may be over already.
            salt = await self._shared(day) or await self._shared(day + timedelta(days=1))
            if salt is None:
                raise QueueAway("its clock is a day ahead")
            self.salts[day] = salt
            asyncio.get_running_loop().call_later((_end(day) - now).total_seconds(), self.salts.pop, day, None)
        return self.salts[day]

    async def _shared(self, day: date) -> bytes | None:
        key = f"{self.sender.broker.namespace}:salt:{day}"

        def ask(pipe: Any) -> None:
            pipe.set(key, secrets.token_bytes(32), nx=True, exat=_end(day))
            pipe.get(key)

        made, salt = await _execute(self.sender, ask)
        if made:
            await _rewrite_log(self.sender)
        return salt if salt is None else bytes(salt)


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


async def first_times(sender: Sender, events: Sequence[str], now: datetime) -> list[datetime]:
    """When each of these, "site event_id", first came: now, or at an earlier call of the last day. Raises QueueAway."""
    keys = [f"{sender.broker.namespace}:first:{event}" for event in events]
    milliseconds = int(now.timestamp() * 1000)

    def ask(pipe: Any) -> None:
        for key in keys:
            pipe.set(key, milliseconds, nx=True, ex=FIRST_TIME_KEPT)
            pipe.get(key)

    answers = await _execute(sender, ask)
    return [datetime.fromtimestamp(int(first) / 1000, UTC) for first in answers[1::2]]


async def _execute(sender: Sender, ask: Callable[[Any], None]) -> list[Any]:
    """What Redis answers to these commands, at once; the first failure is not taken for an answer, as in Sender.send.

    A command that was done twice has done no more than once.
    """

    async def execute() -> list[Any]:
        pipe = sender.client.pipeline(transaction=True)
        ask(pipe)
        answers: list[Any] = await pipe.execute()
        return answers

    try:
        async with asyncio.timeout(PATIENCE):
            try:
                return await execute()
            except RedisError:
                return await execute()
    except (RedisError, TimeoutError) as error:
        raise QueueAway(str(error) or f"no answer within {PATIENCE} s") from error


async def _rewrite_log(sender: Sender) -> None:
    try:
        await sender.client.bgrewriteaof()
    except ResponseError as error:  # one is under way, or it is not ours to ask
        logger.info("Redis does not rewrite its append-only file now: %s", error)
    except RedisError as error:
        logger.warning("Redis did not rewrite its append-only file: %s", error)
