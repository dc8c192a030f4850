"""The state of the events queue and of its Redis, read in one round trip; its cost does not grow with the queue."""

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
#: Seconds within which Redis has to respond.
READ_TIMEOUT = 1.0


class QueueState(msgspec.Struct, frozen=True, kw_only=True):
    """The queue at one moment. Values that Redis does not report are None: hosted ones hide some."""

    #: Messages: waiting, fetched by workers, delayed until their retry, failed for good.
    waiting: int
    held: int
    delayed: int
    dead: int
    #: Messages about dead letters: to dead-letter a message, to replay or discard letters.
    filing: int
    #: Seconds since the oldest message was sent, by the sender's clock; 0 without messages. The oldest of the head of
    #: the queue and of the fetched messages: delayed ones, and those requeued at the end, are not considered.
    oldest_seconds: float
    #: Worker processes with a heartbeat within HEARTBEAT_TIMEOUT.
    workers: int
    #: Bytes of memory that Redis uses, its limit (0: none), and the memory of its machine.
    memory_used: int
    memory_limit: int | None
    memory_of_machine: int | None
    eviction_policy: str | None
    #: Whether Redis has an append-only file, and whether the last write to it failed.
    append_only: bool | None
    append_failed: bool

    @property
    def unsettled(self) -> int:
        """Messages that are not processed yet; without those that failed for good."""
        return self.waiting + self.held + self.delayed

    def weaknesses(self) -> list[str]:
        """How the configuration of this Redis can lose accepted events."""
        weaknesses = []
        if self.eviction_policy not in (None, "noeviction"):
            weaknesses.append(
                f"maxmemory-policy is {self.eviction_policy}: Redis may evict events when memory is short; "
                "it should be noeviction"
            )
        if self.append_only is False:
            weaknesses.append("appendonly is off: a restart of Redis loses events; it should be on")
        return weaknesses


class QueueReader:
    """Reads the state of a broker's events queue, on its own connection."""

    def __init__(self, broker: DurableBroker, url: str) -> None:
        self.broker = broker
        # Retry once: reads are idempotent, and Redis may have closed an idle connection.
        self.client = redis.asyncio.Redis.from_url(
            url, retry=Retry(NoBackoff(), 1), **socket_options(url, broker.socket_timeout)
        )

    async def read(self) -> QueueState:
        """The state now. Raises QueueUnavailable if Redis does not respond within READ_TIMEOUT."""
        try:
            async with asyncio.timeout(READ_TIMEOUT), self.client.pipeline(transaction=False) as pipeline:
                pipeline.eval(SCRIPT, 1, self.broker.namespace, EVENTS, str(self.broker.heartbeat_timeout))
                pipeline.info("memory")
                pipeline.info("persistence")
                counts, memory, persistence = await pipeline.execute(raise_on_error=False)
            if isinstance(counts, Exception):
                raise counts
        except RedisError as error:
            raise QueueUnavailable(str(error)) from error
        except TimeoutError as error:
            raise QueueUnavailable(f"no answer within {READ_TIMEOUT} s") from error
        return _state(counts, _info(memory), _info(persistence))

    async def close(self) -> None:
        """Close the connection."""
        await self.client.aclose()


def _info(reply: Any) -> dict[str, Any]:
    """The reply to INFO; empty if this user may not run it, or a hosted Redis does not have it."""
    if isinstance(reply, Exception):
        if not isinstance(reply, ResponseError):
            raise QueueUnavailable(str(reply)) from reply
        return {}
    return dict(reply)


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
