"""Group commit into the queue: events that arrive while a message is on its way to Redis share the next one.

Each request is answered only after Redis took its message. At low load nobody waits for a timer; at high load the
messages grow by themselves.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from apps.event_metrics import OVERLOADED, count_message, count_message_not_taken
from apps.problems import unavailable

logger = logging.getLogger(__name__)

#: Bytes of events that may wait in memory; beyond them clients are told to come back.
MAX_WAITING = 32 * 1024 * 1024
#: A message takes no more requests once it has this many bytes.
MESSAGE_BYTES = 512 * 1024
#: Seconds for the queue to take a message before its requests are told that it did not.
ENQUEUE_TIMEOUT = 0.8

NOT_TAKEN = "the queue (Redis) did not take the events; send them again"

#: What a request brought: events, how many, and the future that it waits for.
Waiting = tuple[bytes, int, asyncio.Future[None]]


class Inbox:
    """Takes events from many requests and hands them to `enqueue`, a JSON array at a time.

    `enqueue` returns once the queue has them and raises otherwise.
    """

    def __init__(self, enqueue: Callable[[bytes], Awaitable[None]]) -> None:
        self.enqueue = enqueue
        self.waiting: list[Waiting] = []
        self.bytes_waiting = 0

    async def put(self, events: bytes, *, count: int = 1) -> None:
        """Return once the queue has these `count` events, which are JSON objects joined by commas.

        Raises Refusal (503) where it did not take them, or where too many wait already.
        """
        if self.bytes_waiting + len(events) > MAX_WAITING:
            OVERLOADED.inc(count)
            raise unavailable("too many events wait for the queue (Redis); send them again later")
        taken = asyncio.get_running_loop().create_future()
        self.waiting.append((events, count, taken))
        self.bytes_waiting += len(events)
        self.arrived.set()
        await taken

    async def open(self) -> None:
        """Start to take events."""
        self.arrived = asyncio.Event()
        self.closing = False
        self.task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Hand over all that was accepted for it, then stop."""
        self.closing = True
        self.arrived.set()
        await self.task

    async def _run(self) -> None:
        while self.waiting or not self.closing:
            if not self.waiting:
                self.arrived.clear()
                await self.arrived.wait()
                continue
            await self._hand_over(self._next_group())

    def _next_group(self) -> list[Waiting]:
        size = count = 0
        while count < len(self.waiting) and size < MESSAGE_BYTES:
            size += len(self.waiting[count][0])
            count += 1
        group = self.waiting[:count]
        del self.waiting[:count]
        return group

    async def _hand_over(self, group: list[Waiting]) -> None:
        message = b"[%b]" % b",".join([events for events, _, _ in group])
        start = time.perf_counter()
        try:
            async with asyncio.timeout(ENQUEUE_TIMEOUT):
                await self.enqueue(message)
        except Exception as error:
            logger.error("%s: %s", NOT_TAKEN, str(error) or f"no answer within {ENQUEUE_TIMEOUT} s")
            # Nobody waits in line behind a Redis that does not answer: all who are here are told at once.
            group += self.waiting
            self.waiting.clear()
            self._settle(group, success=False)
            count_message_not_taken(events=_events(group))
        else:
            self._settle(group, success=True)
            count_message(size=len(message), events=_events(group), seconds=time.perf_counter() - start)

    def _settle(self, group: Iterable[Waiting], *, success: bool) -> None:
        for events, _, taken in group:
            self.bytes_waiting -= len(events)
            if taken.done():  # its request was cancelled
                continue
            if success:
                taken.set_result(None)
            else:
                taken.set_exception(unavailable(NOT_TAKEN))


def _events(group: list[Waiting]) -> int:
    return sum(count for _, count, _ in group)
