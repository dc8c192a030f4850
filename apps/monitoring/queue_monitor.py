"""The watch on the queue: looks about once a second how full it is, so that no request has to.

Past a bound, ingestion takes no events until the queue is below it again. There is no distance between the bound at
which that ends and the one at which it begins: at the bound, ingestion takes what the workers store.
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

#: Seconds between looks.
PAUSE = 1.0
#: Which part of its memory Redis may use where QUEUE_MAX_MEMORY_BYTES is not set: of its own limit if it has one, else
#: of its machine, since a rewrite of the append-only file may copy much of what is used.
PART_OF_LIMIT, PART_OF_MACHINE = 0.8, 0.6


class QueueMonitor:
    """The queue as it was when last seen. While Redis is away, what was seen last stays."""

    def __init__(self, reader: QueueReader, settings: Settings) -> None:
        self.reader = reader
        self.settings = settings
        #: None before the first look.
        self.state: QueueState | None = None
        #: Whether Redis did not tell at the last look.
        self.unavailable = False
        #: Why no events are taken now, None while they are.
        self.full: str | None = None
        self.weaknesses: list[str] = []

    async def look(self) -> QueueState:
        """The state now. Raises QueueUnavailable."""
        self.state = state = await self.reader.read()
        full = past_bound(state, self.settings)
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
        """Look at it in the background."""
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
                    logger.warning("cannot look at the queue (Redis): %s", error)
                self.unavailable = True
            except Exception:
                logger.exception("cannot look at the queue")
            await asyncio.sleep(PAUSE)


def past_bound(state: QueueState, settings: Settings) -> str | None:
    """Which bound the queue is past, with its value and the present one."""
    if state.unsettled >= settings.queue_max_messages:
        return (
            f"the queue has {state.unsettled:,} messages that are not stored yet; "
            f"the bound is {settings.queue_max_messages:,} (QUEUE_MAX_MESSAGES)"
        )
    if state.oldest_seconds >= settings.queue_max_age_seconds:
        return (
            f"the oldest message has been in the queue for {state.oldest_seconds:,.0f} s; "
            f"the bound is {settings.queue_max_age_seconds:,} s (QUEUE_MAX_AGE_SECONDS)"
        )
    max_memory = memory_bound(state, settings)
    if max_memory and state.memory_used >= max_memory:
        return (
            f"the queue's Redis uses {state.memory_used:,} bytes of memory; "
            f"the bound is {max_memory:,} (QUEUE_MAX_MEMORY_BYTES)"
        )
    return None


def memory_bound(state: QueueState, settings: Settings) -> int | None:
    """How many bytes Redis may use before no more events are taken; None where neither the settings nor Redis tell."""
    if settings.queue_max_memory_bytes:
        return settings.queue_max_memory_bytes
    if state.memory_limit:
        return int(state.memory_limit * PART_OF_LIMIT)
    return int(state.memory_of_machine * PART_OF_MACHINE) if state.memory_of_machine else None
