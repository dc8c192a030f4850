"""Group commit into the queue: events that arrive while one message is being sent to Redis share the next one.

A request gets its response only after Redis has taken its message. There is no timer: at low load a message is sent at
once, at high load the messages grow.
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

#: Bytes of events that may wait in memory; over this limit requests get 503.
MAX_WAITING = 32 * 1024 * 1024
#: Bytes from which a message takes no more requests.
MESSAGE_BYTES = 512 * 1024
#: Seconds for the queue to take a message before its requests fail.
ENQUEUE_TIMEOUT = 0.8

#: Retry-After in seconds when the queue is full: it does not drain within one second.
FULL_RETRY_AFTER = 10

NOT_TAKEN = "the queue (Redis) did not take the events; send them again"

Counts = Mapping[SiteDay, int]


class Waiting(NamedTuple):
    """The events of one request."""

    events: bytes
    counts: Counts
    taken: asyncio.Future[str]


class Batcher:
    """Collects the events of many requests and passes them to `enqueue` as one JSON array with its counts.

    `enqueue` returns the message id once the queue has the events, and raises otherwise.
    """

    def __init__(
        self,
        enqueue: Callable[[bytes, Counts], Awaitable[str]],
        monitor: QueueMonitor,
        limit: Callable[[Counts], Awaitable[None]] | None = None,
        *,
        max_waiting: int = MAX_WAITING,
        message_bytes: int = MESSAGE_BYTES,
        enqueue_timeout: float = ENQUEUE_TIMEOUT,
    ) -> None:
        self.enqueue = enqueue
        self.monitor = monitor
        #: Raises Refusal for events that may not come now.
        self.limit = limit
        self.max_waiting = max_waiting
        self.message_bytes = message_bytes
        self.enqueue_timeout = enqueue_timeout
        self.waiting: list[Waiting] = []
        self.bytes_waiting = 0
        #: Whether the last message failed.
        self.failing = False

    async def put(self, events: bytes, counts: Counts) -> str:
        """Wait until the queue has these events (JSON objects joined by commas); return the id of their message.

        `counts`: the number of events by site and day of arrival.

        Raises Refusal (503) if the queue did not take them, if it is full, or if too many events wait here; and (429)
        if their site is over its limit.
        """
        if self.monitor.full:
            OVERLOADED.inc(sum(counts.values()))
            raise unavailable(self.monitor.full, retry_after=FULL_RETRY_AFTER)
        if self.bytes_waiting + len(events) > self.max_waiting:
            OVERLOADED.inc(sum(counts.values()))
            raise unavailable("too many events wait for the queue (Redis); send them again later")
        if self.limit:
            await self.limit(counts)
        taken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting.append(Waiting(events, counts, taken))
        self.bytes_waiting += len(events)
        self.arrived.set()
        return await taken

    async def open(self) -> None:
        """Start taking events."""
        self.arrived = asyncio.Event()
        self.closing = False
        self.task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Send all waiting events to the queue, then stop."""
        self.closing = True
        self.arrived.set()
        await self.task

    async def _run(self) -> None:
        while self.waiting or not self.closing:
            if not self.waiting:
                self.arrived.clear()
                await self.arrived.wait()
                continue
            await self._send(self._next_group())

    def _next_group(self) -> list[Waiting]:
        size, count, enough = 0, 0, self.message_bytes
        while count < len(self.waiting) and size < enough:
            size += len(self.waiting[count].events)
            count += 1
        group = self.waiting[:count]
        del self.waiting[:count]
        return group

    async def _send(self, group: list[Waiting]) -> None:
        message = b"[%b]" % b",".join([one.events for one in group])
        counts = _total(group)
        start = time.perf_counter()
        try:
            async with asyncio.timeout(self.enqueue_timeout):
                message_id = await self.enqueue(message, counts)
        except Exception as error:
            # Log an error once per outage, not for each message.
            log = logger.debug if self.failing else logger.error
            log("%s: %s", NOT_TAKEN, str(error) or f"no answer within {self.enqueue_timeout} s")
            self.failing = True
            # Redis does not answer: fail every waiting request now instead of queueing behind it.
            group += self.waiting
            self.waiting.clear()
            self._complete(group, None)
            count_message_not_taken(events=sum(_total(group).values()))
        else:
            if self.failing:
                logger.warning("the queue (Redis) takes events again")
                self.failing = False
            self._complete(group, message_id)
            count_message(size=len(message), events=sum(counts.values()), seconds=time.perf_counter() - start)

    def _complete(self, group: Iterable[Waiting], message_id: str | None) -> None:
        for events, _, taken in group:
            self.bytes_waiting -= len(events)
            if taken.done():  # the request was cancelled
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
