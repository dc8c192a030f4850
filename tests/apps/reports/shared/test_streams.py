"""Answers that are sent while they are made, when nobody waits for them any more."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest
from psycopg import AsyncConnection

from apps.reports.shared.streaming import Parts


def test_a_query_that_nobody_waits_for_is_cancelled_and_its_connection_kept(database_url: str) -> None:
    async def slow(conn: AsyncConnection[Any]) -> AsyncGenerator[bytes]:
        yield b"first"
        await conn.execute("select pg_sleep(600)")
        yield b"second"

    async def go_away() -> tuple[Any, ...] | None:
        async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
            parts = Parts(slow(conn), stall_timeout=60)
            assert await anext(parts) == b"first"
            with anyio.move_on_after(0.1) as scope:
                await anext(parts)
            assert scope.cancelled_caught
            await parts.close()
            return await (await conn.execute("select 'usable'")).fetchone()

    assert asyncio.run(go_away()) == ("usable",)


def test_an_error_while_parts_are_made_is_raised() -> None:
    async def failing() -> AsyncGenerator[bytes]:
        yield b"first"
        raise ValueError("no more")

    async def read() -> None:
        parts = Parts(failing(), stall_timeout=60)
        assert await anext(parts) == b"first"
        with pytest.raises(ValueError, match="no more"):
            await anext(parts)
        await parts.close()

    asyncio.run(read())


def test_who_takes_nothing_for_long_is_given_up() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"more"
        finally:
            ended.set()

    async def stall() -> None:
        parts = Parts(endless(), stall_timeout=0.05)
        for _ in range(3):
            assert await anext(parts) == b"more"
        await asyncio.wait_for(ended.wait(), 30)
        with pytest.raises(TimeoutError, match="took nothing"):
            await anext(parts)
        await parts.close()

    asyncio.run(stall())
