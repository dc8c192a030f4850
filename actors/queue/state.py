"""The state of the queue of events and of its Redis, read in one round trip whose cost does not grow with the queue."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from actors.durable.broker import DurableBroker, id_millis, socket_options
from actors.queue.producer import QueueUnavailable
from actors.queue_names import EVENTS

SCRIPT = Path(__file__).with_suffix(".lua").read_text()
#: Seconds that a look may take.
LOOK_TIMEOUT = 1.0


class QueueState(msgspec.Struct, frozen=True, kw_only=True):
    """The queue at one moment. What a Redis does not tell of itself is None: hosted ones hide some of it."""

    #: Messages in line, in the hands of workers, kept back until their retry, and given up.
    waiting: int
    held: int
    delayed: int
    dead: int
    #: Messages about dead letters: to file them, to replay or discard them.
    filing: int
    #: Seconds since the oldest message was sent, by the sender's clock; 0 without any. It is the oldest of the head of
    #: the line and of what workers hold: one that is kept back, or was given back to the line's end, is not seen.
    oldest_seconds: float
    #: Worker processes that gave a sign of life within HEARTBEAT_TIMEOUT.
    workers: int
    #: Bytes that Redis uses, that it may use (0: no limit), and that its machine has.
    memory_used: int
    memory_limit: int | None
    memory_of_machine: int | None
    eviction_policy: str | None
    #: Whether it keeps an append-only file, and whether the last write to it went well.
    append_only: bool | None
    append_failed: bool

    @property
    def unsettled(self) -> int:
        """Messages whose events are not stored yet, the dead aside."""
        return self.waiting + self.held + self.delayed

    def weaknesses(self) -> list[str]:
        """In which ways this Redis is set to lose what it has accepted."""
        found = []
        if self.eviction_policy not in (None, "noeviction"):
            found.append(
                f"maxmemory-policy is {self.eviction_policy}: events may be thrown out when memory is short; "
                "it should be noeviction"
            )
        if self.append_only is False:
            found.append("appendonly is off: a restart of Redis loses events; it should be on")
        return found


class QueueReader:
    """Reads the state of a broker's queue of events, on a connection of its own."""

    def __init__(self, broker: DurableBroker, url: str) -> None:
        self.broker = broker
        # To read twice does no harm: a connection that Redis closed meanwhile is no failure.
        self.client = redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 1), **socket_options(url))

    async def read(self) -> QueueState:
        """The state now. Raises QueueUnavailable where Redis does not tell within LOOK_TIMEOUT."""
        try:
            async with asyncio.timeout(LOOK_TIMEOUT), self.client.pipeline(transaction=False) as pipeline:
                pipeline.eval(SCRIPT, 1, self.broker.namespace, EVENTS, str(self.broker.heartbeat_timeout))
                pipeline.info("memory")
                pipeline.info("persistence")
                counts, memory, persistence = await pipeline.execute(raise_on_error=False)
            if isinstance(counts, Exception):
                raise counts
        except RedisError as error:
            raise QueueUnavailable(str(error)) from error
        except TimeoutError as error:
            raise QueueUnavailable(f"no answer within {LOOK_TIMEOUT} s") from error
        return _state(counts, _told(memory), _told(persistence))

    async def close(self) -> None:
        """Close the connection."""
        await self.client.aclose()


def _told(answer: Any) -> dict[str, Any]:
    """What INFO says: nothing where this user may not ask, or where a hosted Redis does not know the command."""
    if isinstance(answer, Exception):
        if not isinstance(answer, ResponseError):
            raise QueueUnavailable(str(answer)) from answer
        return {}
    return dict(answer)


def _state(counts: list[Any], memory: dict[str, Any], persistence: dict[str, Any]) -> QueueState:
    now, waiting, unsettled, delayed, dead, filing, oldest, workers = counts
    append_only = persistence.get("aof_enabled")
    return QueueState(
        waiting=waiting,
        held=max(0, unsettled - waiting),
        delayed=delayed,
        dead=dead,
        filing=filing,
        oldest_seconds=max(0, now - id_millis(oldest.decode())) / 1000 if oldest else 0.0,
        workers=workers,
        memory_used=memory.get("used_memory", 0),
        memory_limit=memory.get("maxmemory"),
        memory_of_machine=memory.get("total_system_memory"),
        eviction_policy=memory.get("maxmemory_policy"),
        append_only=None if append_only is None else bool(append_only),
        append_failed=persistence.get("aof_last_write_status") == "err",
    )
