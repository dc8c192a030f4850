"""Work beside the requests ends with the app."""

import asyncio

import pytest

from apps.web.background import in_background


def test_work_ends_with_the_context_also_where_a_cancellation_is_lost() -> None:
    cancelled = []

    async def work() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(True)
                if len(cancelled) == 3:
                    raise

    async def run() -> None:
        async with in_background(work(), again_after=0.01):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert len(cancelled) == 3


def test_an_error_of_the_context_ends_it_too() -> None:
    done = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            done.append(True)

    async def run() -> None:
        async with in_background(work()):
            await asyncio.sleep(0)
            raise RuntimeError("of the app")

    with pytest.raises(RuntimeError, match="of the app"):
        asyncio.run(run())
    assert done
