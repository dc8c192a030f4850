"""Group commit into the queue: answered only after Redis took it, bounded, and never a hang."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from actors.broker import broker, redis_url
from actors.queue.producer import SiteDay
from actors.queue.state import QueueReader
from apps.events.batcher import Batcher
from apps.monitoring.queue_monitor import QueueMonitor
from apps.web.problems import Refusal
from db.settings import Settings


class Queue:
    """A queue that takes messages while its gate is open."""

    def __init__(self) -> None:
        self.messages: list[list[int]] = []
        self.counts: list[dict[SiteDay, int]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def enqueue(self, message: bytes, counts: Mapping[SiteDay, int]) -> str:
        await self.gate.wait()
        if self.error:
            raise self.error
        self.messages.append(json.loads(message))
        self.counts.append(dict(counts))
        return f"message {len(self.messages)}"


def run(test: Callable[[Queue, Batcher], Awaitable[None]], **limits: Any) -> None:
    async def main() -> None:
        queue = Queue()
        batcher = Batcher(queue.enqueue, QueueMonitor(QueueReader(broker, redis_url), Settings()), **limits)
        await batcher.open()
        await test(queue, batcher)
        queue.gate.set()
        await batcher.close()

    asyncio.run(main())


async def put(batcher: Batcher, *events: int, day: str = "2026-01-02") -> "asyncio.Task[str]":
    joined = b",".join(b"%d" % event for event in events)
    task = asyncio.create_task(batcher.put(joined, {("shop", day): len(events)}))
    await asyncio.sleep(0.01)
    return task


def test_a_request_is_answered_only_after_the_queue_took_its_event() -> None:
    async def test(queue: Queue, batcher: Batcher) -> None:
        task = await put(batcher, 1)
        assert not task.done()
        queue.gate.set()
        await task
        assert queue.messages == [[1]]

    run(test)


def test_who_arrives_while_a_message_is_under_way_shares_the_next() -> None:
    async def test(queue: Queue, batcher: Batcher) -> None:
        tasks = [await put(batcher, 1), await put(batcher, 2), await put(batcher, 3, 4), await put(batcher, 5)]
        queue.gate.set()
        await asyncio.gather(*tasks)
        assert queue.messages == [[1], [2, 3, 4, 5]]

    run(test)


def test_a_message_takes_no_more_once_it_is_long() -> None:
    async def test(queue: Queue, batcher: Batcher) -> None:
        tasks = [await put(batcher, number) for number in range(6)]
        queue.gate.set()
        await asyncio.gather(*tasks)
        assert queue.messages == [[0], [1, 2], [3, 4], [5]]

    run(test, message_bytes=2)


def test_all_who_wait_are_told_when_the_queue_refuses_and_the_next_are_taken() -> None:
    async def test(queue: Queue, batcher: Batcher) -> None:
        tasks = [await put(batcher, 1), await put(batcher, 2)]
        queue.error = ConnectionError("gone")
        queue.gate.set()
        for task in tasks:
            with pytest.raises(Refusal) as refusal:
                await task
            assert refusal.value.problem.status == 503
            assert refusal.value.headers == {"Retry-After": "1"}
        queue.error = None
        await (await put(batcher, 3))
        assert queue.messages == [[3]]
        assert batcher.bytes_waiting == 0

    run(test)


def test_nobody_waits_for_a_queue_that_does_not_answer() -> None:
    async def test(queue: Queue, batcher: Batcher) -> None:
        tasks = [await put(batcher, 1), await put(batcher, 2)]
        async with asyncio.timeout(5):
            for task in tasks:
                with pytest.raises(Refusal):
                    await task
        queue.gate.set()
        await (await put(batcher, 3))
        assert queue.messages == [[3]]

    run(test, enqueue_timeout=0.05)


def test_each_request_learns_its_message_and_all_events_are_counted() -> None:
    async def test(queue: Queue, batcher: Batcher) -> None:
        tasks = [
            await put(batcher, 1),
            await put(batcher, 2),
            await put(batcher, 3, 4, day="2026-01-03"),
            await put(batcher, 5),
        ]
        queue.gate.set()
        assert await asyncio.gather(*tasks) == ["message 1", "message 2", "message 2", "message 2"]
        assert queue.counts == [
            {("shop", "2026-01-02"): 1},
            {("shop", "2026-01-02"): 2, ("shop", "2026-01-03"): 2},
        ]

    run(test)


def test_what_waits_in_memory_is_bounded() -> None:
    async def test(queue: Queue, batcher: Batcher) -> None:
        tasks = [await put(batcher, 1), await put(batcher, 2), await put(batcher, 3)]
        with pytest.raises(Refusal, match="too many events wait"):
            await batcher.put(b"4", {})
        queue.gate.set()
        await asyncio.gather(*tasks)
        await batcher.put(b"5", {})
        assert queue.messages == [[1], [2, 3], [5]]

    run(test, max_waiting=3)


def test_a_request_that_was_cancelled_harms_no_other() -> None:
    async def test(queue: Queue, batcher: Batcher) -> None:
        tasks = [await put(batcher, 1), await put(batcher, 2), await put(batcher, 3)]
        tasks[1].cancel()
        queue.gate.set()
        await asyncio.gather(tasks[0], tasks[2])
        assert batcher.bytes_waiting == 0

    run(test)


def test_closing_hands_over_what_was_accepted_for_it() -> None:
    async def test(queue: Queue, batcher: Batcher) -> None:
        tasks = [await put(batcher, 1), await put(batcher, 2)]
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0.01)
        assert not closing.done()
        queue.gate.set()
        await closing
        await asyncio.gather(*tasks)
        assert queue.messages == [[1], [2]]

    run(test)
