"""The queue monitor: reads the state of the queue about once a second, so that no request has to.

While the queue is over a limit, ingestion takes no events. There is no hysteresis: at the limit, events are accepted
exactly as fast as workers store them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from actors.queue.producer import QueueUnavailable
from actors.queue.state import QueueReader, QueueState
from apps.web.background import in_background
from db.settings import Settings

logger = logging.getLogger(__name__)

#: Seconds between two reads.
PAUSE = 1.0
#: The share of memory that Redis may use if QUEUE_MAX_MEMORY_BYTES is not set: of its own limit if it has one, else of
#: the machine's memory. It is less than 1 because a rewrite of the append-only file may copy much of the used memory.
PART_OF_LIMIT, PART_OF_MACHINE = 0.8, 0.6


class QueueMonitor:
    """The last known state of the queue; it stays while Redis is unavailable."""

    def __init__(self, reader: QueueReader, settings: Settings) -> None:
        self.reader = reader
        self.settings = settings
        #: None before the first read.
        self.state: QueueState | None = None
        #: Whether the last read failed.
        self.unavailable = False
        #: Why no events are taken now; None while they are.
        self.full: str | None = None
        self.weaknesses: list[str] = []

    async def look(self) -> QueueState:
        """Read the current state. Raises QueueUnavailable."""
        self.state = state = await self.reader.read()
        full = over_limit(state, self.settings)
        if full and not self.full:
            logger.warning("no events are taken: %s", full)
        elif self.full and not full:
            logger.warning("events are taken again")
        self.full = full
        weaknesses = state.weaknesses()
        if weaknesses != self.weaknesses:
            for weakness in weaknesses:
                logger.warning("Redis is set to lose events: %s", weakness)
        self.weaknesses = weaknesses
        return state

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Read the state in the background."""
        async with in_background(self._run()):
            yield
        await self.reader.close()

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
                self.unavailable = False
            except QueueUnavailable as error:
                if not self.unavailable:
                    logger.warning("cannot read the state of the queue (Redis): %s", error)
                self.unavailable = True
            except Exception:
                logger.exception("cannot read the state of the queue")
            await asyncio.sleep(PAUSE)


def over_limit(state: QueueState, settings: Settings) -> str | None:
    """Which limit the queue has reached, with the current value and the limit; None if none."""
    if state.unsettled >= settings.queue_max_messages:
        return (
            f"the queue has {state.unsettled:,} messages that are not stored yet; "
            f"the limit is {settings.queue_max_messages:,} (QUEUE_MAX_MESSAGES)"
        )
    if state.oldest_seconds >= settings.queue_max_age_seconds:
        return (
            f"the oldest message has been in the queue for {state.oldest_seconds:,.0f} s; "
            f"the limit is {settings.queue_max_age_seconds:,} s (QUEUE_MAX_AGE_SECONDS)"
        )
    max_memory = memory_limit(state, settings)
    if max_memory and state.memory_used >= max_memory:
        return (
            f"the queue's Redis uses {state.memory_used:,} bytes of memory; "
            f"the limit is {max_memory:,} (QUEUE_MAX_MEMORY_BYTES)"
        )
    return None


def memory_limit(state: QueueState, settings: Settings) -> int | None:
    """Bytes that Redis may use before no more events are taken; None if neither the settings nor Redis have a value."""
    if settings.queue_max_memory_bytes:
        return settings.queue_max_memory_bytes
    if state.memory_limit:
        return int(state.memory_limit * PART_OF_LIMIT)
    return int(state.memory_of_machine * PART_OF_MACHINE) if state.memory_of_machine else None
