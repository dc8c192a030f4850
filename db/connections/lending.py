"""psycopg's pools, changed so that they only check out live connections.

A restarted server, or a pooler after an idle time, has closed idle connections. psycopg's own check waits 1, 2, ...
seconds for each of them; these pools discard all dead connections at once and make new ones.
"""

import select
import time
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

#: Seconds since its last check after which a connection is checked by a query: the network may have dropped it
#: silently.
CHECK_AFTER = 1
#: Seconds after which a waiting request makes the pool try to connect again.
CONNECT_AGAIN = 0.25

#: When a connection was last checked, by the monotonic clock.
_checked: WeakKeyDictionary[psycopg.BaseConnection[Any], float] = WeakKeyDictionary()


class AllInUse(PoolTimeout):
    """All connections of a pool are checked out, and none was returned in time. The server may be fine."""


class LivePool(ConnectionPool[Connection[Any]]):
    """A pool for threads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.checked_out = 0
        self.counting = Lock()

    def getconn(self, timeout: float | None = None) -> Connection[Any]:
        """As in psycopg's pool. Raises PoolTimeout; AllInUse if all connections are in use."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            try:
                conn = super().getconn(_wait_seconds(deadline, self.checked_out, self.max_size))
            except PoolTimeout:
                _raise_if_over(deadline, self.checked_out, self.max_size)
                continue
            with self.counting:
                self.checked_out += 1
            try:
                if _needs_check(conn):
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
            self.checked_out -= 1
        super().putconn(conn)


class AsyncLivePool(AsyncConnectionPool[AsyncConnection[Any]]):
    """A pool for tasks."""

    checked_out = 0

    async def getconn(self, timeout: float | None = None) -> AsyncConnection[Any]:  # noqa: ASYNC109 (it is psycopg's)
        """As in psycopg's pool. Raises PoolTimeout; AllInUse if all connections are in use."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            try:
                conn = await super().getconn(_wait_seconds(deadline, self.checked_out, self.max_size))
            except PoolTimeout:
                _raise_if_over(deadline, self.checked_out, self.max_size)
                continue
            self.checked_out += 1
            try:
                if _needs_check(conn):
                    await self.check_connection(conn)
                return conn
            except psycopg.Error:
                await conn.close()
                await self.putconn(conn)
            except BaseException:
                await self.putconn(conn)
                raise

    async def putconn(self, conn: AsyncConnection[Any]) -> None:
        self.checked_out -= 1
        await super().putconn(conn)


def _wait_seconds(deadline: float, checked_out: int, most: int) -> float:
    """Seconds to wait: if all connections are checked out, all that is left, as requests are served in order."""
    left = max(deadline - time.monotonic(), 0.001)
    return left if checked_out >= most else min(left, CONNECT_AGAIN)


def _raise_if_over(deadline: float, checked_out: int, most: int) -> None:
    if time.monotonic() < deadline:
        return
    if checked_out >= most:
        raise AllInUse(f"all {most} connections to the database are in use") from None
    raise PoolTimeout("couldn't get a connection in time") from None


def _needs_check(conn: psycopg.BaseConnection[Any]) -> bool:
    """Whether a connection may be dead: data on an idle one is the server's last message, or the end of the stream."""
    now = time.monotonic()
    before, _checked[conn] = _checked.get(conn, 0), now
    if now - before > CHECK_AFTER:
        return True
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    return bool(poll.poll(0))
