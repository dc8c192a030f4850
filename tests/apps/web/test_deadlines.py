"""A limit of time without a timer for each."""

import asyncio
from functools import partial

import pytest

from apps.web import deadlines

#: Looks often at how long a task takes.
with_deadline = partial(deadlines.with_deadline, interval=0.01)


async def answer() -> str:
    await asyncio.sleep(0)
    return "done"


def test_what_is_done_in_time_is_left_alone_also_later() -> None:
    async def run() -> list[str]:
        first = await with_deadline(answer(), 0.02)
        await asyncio.sleep(0.1)
        return [first, await with_deadline(answer(), 0.02)]

    assert asyncio.run(run()) == ["done", "done"]


def test_what_takes_too_long_ends_and_its_task_goes_on() -> None:
    async def run() -> str:
        with pytest.raises(TimeoutError):
            await with_deadline(asyncio.sleep(10), 0.02)
        await asyncio.sleep(0.05)
        return await with_deadline(answer(), 1)

    assert asyncio.run(run()) == "done"


def test_each_task_has_a_limit_of_its_own() -> None:
    async def run() -> list[object]:
        tasks = (
            with_deadline(asyncio.sleep(10), 0.02),
            with_deadline(asyncio.sleep(0.1, "slow"), 5),
            with_deadline(answer(), 5),
        )
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    first, *others = asyncio.run(run())
    assert isinstance(first, TimeoutError)
    assert others == ["slow", "done"]


def test_who_is_cancelled_by_another_is_cancelled() -> None:
    async def run() -> None:
        task = asyncio.ensure_future(with_deadline(asyncio.sleep(10), 0.02))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_errors_come_through() -> None:
    async def fail() -> None:
        raise ValueError("so it is")

    with pytest.raises(ValueError, match="so it is"):
        asyncio.run(with_deadline(fail(), 1))
