"""Group commit into the queue: events that arrive while a message is on its way to Redis share the next one.

Each request is answered only after Redis took its message. At low load nobody waits for a timer; at high load the
messages grow by themselves.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from actors.queue.producer import SiteDay
from apps.events.metrics import OVERLOADED, count_message, count_message_not_taken
from apps.monitoring.queue_monitor import QueueMonitor
from apps.web.problems import unavailable

logger = logging.getLogger(__name__)

#: Bytes of events that may wait in memory; beyond them clients are told to come back.
MAX_WAITING = 32 * 1024 * 1024
#: A message takes no more requests once it has this many bytes.
MESSAGE_BYTES = 512 * 1024
#: Seconds for the queue to take a message before its requests are told that it did not.
ENQUEUE_TIMEOUT = 0.8

#: Seconds after which clients may come back to a queue that is full: it will not have drained in one.
FULL_RETRY_AFTER = 10

NOT_TAKEN = "the queue (Redis) did not take the events; send them again"

Counts = Mapping[SiteDay, int]


class Waiting(NamedTuple):
    """The events of one request."""

    events: bytes
    counts: Counts
    taken: asyncio.Future[str]


class Batcher:
    """Takes events from many requests and hands them to `enqueue`, a JSON array and its counts at a time.

    `enqueue` returns the id of their message once the queue has them, and raises otherwise.
    """

    def __init__(self, enqueue: Callable[[bytes, Counts], Awaitable[str]], monitor: QueueMonitor) -> None:
        self.enqueue = enqueue
        self.monitor = monitor
        self.waiting: list[Waiting] = []
        self.bytes_waiting = 0
        #: Whether the queue did not take the last message.
        self.failing = False

    async def put(self, events: bytes, counts: Counts) -> str:
        """Return once the queue has these events, which are JSON objects joined by commas: the id of their message.

        `counts` has how many they are, by site and day of arrival.

        Raises Refusal (503) where it did not take them, where it is full, or where too many wait here already.
        """
        if self.monitor.full:
            OVERLOADED.inc(sum(counts.values()))
            raise unavailable(self.monitor.full, retry_after=FULL_RETRY_AFTER)
        if self.bytes_waiting + len(events) > MAX_WAITING:
            OVERLOADED.inc(sum(counts.values()))
            raise unavailable("too many events wait for the queue (Redis); send them again later")
        taken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting.append(Waiting(events, counts, taken))
        self.bytes_waiting += len(events)
        self.arrived.set()
        return await taken

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
            size += len(self.waiting[count].events)
            count += 1
        group = self.waiting[:count]
        del self.waiting[:count]
        return group

    async def _hand_over(self, group: list[Waiting]) -> None:
        message = b"[%b]" % b",".join([one.events for one in group])
        counts = _total(group)
        start = time.perf_counter()
        try:
            async with asyncio.timeout(ENQUEUE_TIMEOUT):
                message_id = await self.enqueue(message, counts)
        except Exception as error:
            # Once, not for each message of an outage.
            log = logger.debug if self.failing else logger.error
            log("%s: %s", NOT_TAKEN, str(error) or f"no answer within {ENQUEUE_TIMEOUT} s")
            self.failing = True
            # Nobody waits in line behind a Redis that does not answer: all who are here are told at once.
            group += self.waiting
            self.waiting.clear()
            self._settle(group, None)
            count_message_not_taken(events=sum(_total(group).values()))
        else:
            if self.failing:
                logger.warning("the queue (Redis) takes events again")
                self.failing = False
            self._settle(group, message_id)
            count_message(size=len(message), events=sum(counts.values()), seconds=time.perf_counter() - start)

    def _settle(self, group: Iterable[Waiting], message_id: str | None) -> None:
        for events, _, taken in group:
            self.bytes_waiting -= len(events)
            if taken.done():  # its request was cancelled
                continue
            if message_id is not None:
                taken.set_result(message_id)
            else:
                taken.set_exception(unavailable(NOT_TAKEN))


def _total(group: list[Waiting]) -> Counts:
    total: dict[SiteDay, int] = {}
    for one in group:
        for site_day, events in one.counts.items():
            total[site_day] = total.get(site_day, 0) + events
    return total
