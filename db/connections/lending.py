"""The pools of psycopg, lending only connections that live.

A server that was restarted, or a pooler that was idle for long, has ended connections while nobody used them. psycopg's
own check waits 1, 2, ... seconds for each of them; here all that are dead are thrown away at once, and new ones made.
"""

import select
import time
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

#: Seconds after which a connection that looks alive is asked whether it is: a network may have lost it without a word.
TRY_AFTER = 1
#: Seconds after which who waits for a connection makes the pool try to connect again.
CONNECT_AGAIN = 0.25

#: When a connection was tried last, by the monotonic clock.
_tried: WeakKeyDictionary[psycopg.BaseConnection[Any], float] = WeakKeyDictionary()


class AllInUse(PoolTimeout):
    """Every connection that a pool may have is lent, and none came back in time. The server may be well."""


class LivePool(ConnectionPool[Connection[Any]]):
    """A pool for threads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lent = 0
        self.counting = Lock()

    def getconn(self, timeout: float | None = None) -> Connection[Any]:
        """As in psycopg's pool. Raises PoolTimeout, and AllInUse where that is why."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            try:
                conn = super().getconn(_patience(deadline, self.lent, self.max_size))
            except PoolTimeout:
                _raise_if_over(deadline, self.lent, self.max_size)
                continue
            with self.counting:
                self.lent += 1
            try:
                if _needs_trying(conn):
                    self.check_connection(conn)
                return conn
            except psycopg.Error:
                conn.close()
                self.putconn(conn)
            except BaseException:
                self.putconn(conn)
                raise

    def putconn(self, conn: Connection[Any]) -> None:
        with self.counting:
            self.lent -= 1
        super().putconn(conn)


class AsyncLivePool(AsyncConnectionPool[AsyncConnection[Any]]):
    """A pool for tasks."""

    lent = 0

    async def getconn(self, timeout: float | None = None) -> AsyncConnection[Any]:  # noqa: ASYNC109 (it is psycopg's)
        """As in psycopg's pool. Raises PoolTimeout, and AllInUse where that is why."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            try:
                conn = await super().getconn(_patience(deadline, self.lent, self.max_size))
            except PoolTimeout:
                _raise_if_over(deadline, self.lent, self.max_size)
                continue
            self.lent += 1
            try:
                if _needs_trying(conn):
                    await self.check_connection(conn)
                return conn
            except psycopg.Error:
                await conn.close()
                await self.putconn(conn)
            except BaseException:
                await self.putconn(conn)
                raise

    async def putconn(self, conn: AsyncConnection[Any]) -> None:
        self.lent -= 1
        await super().putconn(conn)


def _patience(deadline: float, lent: int, most: int) -> float:
    """Seconds to wait: all that are left where a connection has to come back, which goes in the order of asking."""
    left = max(deadline - time.monotonic(), 0.001)
    return left if lent >= most else min(left, CONNECT_AGAIN)


def _raise_if_over(deadline: float, lent: int, most: int) -> None:
    if time.monotonic() < deadline:
        return
    if lent >= most:
        raise AllInUse(f"all {most} connections to the database are in use") from None
    raise PoolTimeout("couldn't get a connection in time") from None


def _needs_trying(conn: psycopg.BaseConnection[Any]) -> bool:
    """Whether a connection may be dead: what comes on one that nobody uses is the server's last word, or its end."""
    now = time.monotonic()
    before, _tried[conn] = _tried.get(conn, 0), now
    if now - before > TRY_AFTER:
        return True
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    return bool(poll.poll(0))
