"""Group commit into the queue: answered only after Redis took it, bounded, and never a hang."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

import pytest

from actors.broker import broker, redis_url
from actors.queue.producer import SiteDay
from actors.queue.state import QueueReader
from apps.events import batcher as inbox_module
from apps.events.batcher import Inbox
from apps.monitoring.queue_monitor import QueueWatch
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


def run(test: Callable[[Queue, Inbox], Awaitable[None]]) -> None:
    async def main() -> None:
        queue = Queue()
        inbox = Inbox(queue.enqueue, QueueWatch(QueueReader(broker, redis_url), Settings()))
        await inbox.open()
        await test(queue, inbox)
        queue.gate.set()
        await inbox.close()

    asyncio.run(main())


async def put(inbox: Inbox, *events: int, day: str = "2026-01-02") -> "asyncio.Task[str]":
    joined = b",".join(b"%d" % event for event in events)
    task = asyncio.create_task(inbox.put(joined, {("shop", day): len(events)}))
    await asyncio.sleep(0.01)
    return task


def test_a_request_is_answered_only_after_the_queue_took_its_event() -> None:
    async def test(queue: Queue, inbox: Inbox) -> None:
        task = await put(inbox, 1)
        assert not task.done()
        queue.gate.set()
        await task
        assert queue.messages == [[1]]

    run(test)


def test_who_arrives_while_a_message_is_under_way_shares_the_next() -> None:
    async def test(queue: Queue, inbox: Inbox) -> None:
        tasks = [await put(inbox, 1), await put(inbox, 2), await put(inbox, 3, 4), await put(inbox, 5)]
        queue.gate.set()
        await asyncio.gather(*tasks)
        assert queue.messages == [[1], [2, 3, 4, 5]]

    run(test)


def test_a_message_takes_no_more_once_it_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MESSAGE_BYTES", 2)

    async def test(queue: Queue, inbox: Inbox) -> None:
        tasks = [await put(inbox, number) for number in range(6)]
        queue.gate.set()
        await asyncio.gather(*tasks)
        assert queue.messages == [[0], [1, 2], [3, 4], [5]]

    run(test)


def test_all_who_wait_are_told_when_the_queue_refuses_and_the_next_are_taken() -> None:
    async def test(queue: Queue, inbox: Inbox) -> None:
        tasks = [await put(inbox, 1), await put(inbox, 2)]
        queue.error = ConnectionError("gone")
        queue.gate.set()
        for task in tasks:
            with pytest.raises(Refusal) as refusal:
                await task
            assert refusal.value.problem.status == 503
            assert refusal.value.headers == {"Retry-After": "1"}
        queue.error = None
        await (await put(inbox, 3))
        assert queue.messages == [[3]]
        assert inbox.bytes_waiting == 0

    run(test)


def test_nobody_waits_for_a_queue_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "ENQUEUE_TIMEOUT", 0.05)

    async def test(queue: Queue, inbox: Inbox) -> None:
        tasks = [await put(inbox, 1), await put(inbox, 2)]
        async with asyncio.timeout(5):
            for task in tasks:
                with pytest.raises(Refusal):
                    await task
        queue.gate.set()
        await (await put(inbox, 3))
        assert queue.messages == [[3]]

    run(test)


def test_each_request_learns_its_message_and_all_events_are_counted() -> None:
    async def test(queue: Queue, inbox: Inbox) -> None:
        tasks = [
            await put(inbox, 1),
            await put(inbox, 2),
            await put(inbox, 3, 4, day="2026-01-03"),
            await put(inbox, 5),
        ]
        queue.gate.set()
        assert await asyncio.gather(*tasks) == ["message 1", "message 2", "message 2", "message 2"]
        assert queue.counts == [
            {("shop", "2026-01-02"): 1},
            {("shop", "2026-01-02"): 2, ("shop", "2026-01-03"): 2},
        ]

    run(test)


def test_what_waits_in_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MAX_WAITING", 3)

    async def test(queue: Queue, inbox: Inbox) -> None:
        tasks = [await put(inbox, 1), await put(inbox, 2), await put(inbox, 3)]
        with pytest.raises(Refusal, match="too many events wait"):
            await inbox.put(b"4", {})
        queue.gate.set()
        await asyncio.gather(*tasks)
        await inbox.put(b"5", {})
        assert queue.messages == [[1], [2, 3], [5]]

    run(test)


def test_a_request_that_was_cancelled_harms_no_other() -> None:
    async def test(queue: Queue, inbox: Inbox) -> None:
        tasks = [await put(inbox, 1), await put(inbox, 2), await put(inbox, 3)]
        tasks[1].cancel()
        queue.gate.set()
        await asyncio.gather(tasks[0], tasks[2])
        assert inbox.bytes_waiting == 0

    run(test)


def test_closing_hands_over_what_was_accepted_for_it() -> None:
    async def test(queue: Queue, inbox: Inbox) -> None:
        tasks = [await put(inbox, 1), await put(inbox, 2)]
        closing = asyncio.create_task(inbox.close())
        await asyncio.sleep(0.01)
        assert not closing.done()
        queue.gate.set()
        await closing
        await asyncio.gather(*tasks)
        assert queue.messages == [[1], [2]]

    run(test)
