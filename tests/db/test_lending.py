"""Connections that died while nobody used them cost nobody an error: all are ended, and then many ask at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack

import anyio
import msgspec
import pytest

from apps.reporting_resources import ReportingResources
from apps.reports.shared.concurrency import Turn
from db.connections.lending import AllInUse, AsyncLivePool
from db.connections.pools import ReadConnection, read_pool, write_pool
from db.settings import load
from tests.conftest import Connection
from tests.servers.servers import until

MANY = 8

End = Callable[[list[int]], None]


@pytest.fixture
def end(conn: Connection) -> End:
    """Ends the server's side of these connections, as a restart does, and waits until they are gone."""

    def end(pids: list[int]) -> None:
        conn.execute("select pg_terminate_backend(pid) from unnest(%s::int[]) as pid", [pids])
        query = "select pid from pg_stat_activity where pid = any(%s)"
        until(lambda: not conn.execute(query, [pids]).fetchall())

    return end


def test_tasks_notice_nothing_of_connections_that_died_idle(database_url: str, end: End) -> None:
    async def ask(pool: AsyncLivePool) -> int:
        async with pool.connection() as conn:
            await asyncio.sleep(0.01)
            return (await (await conn.execute("select 1")).fetchone() or (0,))[0]

    async def run() -> list[int]:
        async with read_pool(database_url, connections=MANY) as pool:
            async with AsyncExitStack() as lent:
                conns = [await lent.enter_async_context(pool.connection()) for _ in range(MANY)]
            await asyncio.to_thread(end, [conn.info.backend_pid for conn in conns])
            return await asyncio.gather(*[ask(pool) for _ in range(3 * MANY)])

    assert asyncio.run(run()) == [1] * 3 * MANY


def test_threads_notice_nothing_of_connections_that_died_idle(database_url: str, end: End) -> None:
    with write_pool(database_url, connections=MANY) as pool:
        with ExitStack() as lent:
            conns = [lent.enter_context(pool.connection()) for _ in range(MANY)]
        end([conn.info.backend_pid for conn in conns])

        def ask(_: int) -> object:
            with pool.connection() as conn:
                return conn.execute("select 1").fetchone()

        with ThreadPoolExecutor(MANY) as threads:
            assert list(threads.map(ask, range(3 * MANY))) == [(1,)] * 3 * MANY


def test_a_server_that_comes_back_is_found_by_who_waits(database_url: str, end: End) -> None:
    async def run() -> object:
        async with read_pool(database_url, connections=MANY) as pool:
            async with pool.connection() as conn:
                pid = conn.info.backend_pid
            kwargs = pool.kwargs
            pool.kwargs = {**kwargs, "host": "/nowhere"} if isinstance(kwargs, dict) else {}
            await asyncio.to_thread(end, [pid])
            waiting = asyncio.create_task(pool.getconn())
            await asyncio.sleep(1)  # the pool has given up by itself
            pool.kwargs = kwargs
            conn = await waiting
            await pool.putconn(conn)
            return conn.closed

    assert asyncio.run(run()) is False


def test_what_was_lent_in_the_moment_of_its_end_is_read_again(database_url: str, end: End) -> None:
    seen: list[int] = []

    async def work(conn: ReadConnection) -> int:
        seen.append(conn.info.backend_pid)
        if len(seen) == 1:
            await asyncio.to_thread(end, [conn.info.backend_pid])
        await conn.execute("select 1")
        pid: int = conn.info.backend_pid
        return pid

    async def run() -> int:
        resources = ReportingResources(msgspec.structs.replace(load(), database_url=database_url))
        async with resources.pool:
            return await resources.read(work)

    assert asyncio.run(run()) == seen[1] != seen[0]


def test_who_waits_in_vain_is_told_that_all_are_in_use(database_url: str) -> None:
    async def run() -> None:
        async with read_pool(database_url, connections=1) as pool, pool.connection():
            with pytest.raises(AllInUse, match="all 1 connections to the database are in use"):
                await pool.getconn(timeout=0.01)

    asyncio.run(run())


def test_turns_are_taken_in_the_order_of_asking_and_none_is_lost() -> None:
    async def run() -> list[str]:
        turns, order = anyio.Semaphore(1), []

        async def wait(name: str, seconds: float) -> None:
            with Turn(turns) as turn:
                try:
                    await turn.wait(seconds)
                except TimeoutError:
                    order.append(f"{name} in vain")
                else:
                    order.append(name)

        with Turn(turns) as first:
            assert first.take()
            assert first.take()
            waiting = [asyncio.create_task(wait(name, 10 if name != "b" else 0.01)) for name in "abc"]
            await asyncio.wait([waiting[1]])
            waiting.append(cancelled := asyncio.create_task(wait("d", 10)))
            await asyncio.sleep(0)
            cancelled.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert (turns.value, turns.statistics().tasks_waiting) == (1, 0)
        return order

    assert asyncio.run(run()) == ["b in vain", "a", "c"]
