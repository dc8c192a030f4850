"""The two connection pools: one for the workers' threads, which write, one for the reporting app's tasks, which read;
and the connection of a command.

All work behind a pooler in transaction mode: no prepared statements, no session state, every statement a transaction.
"""

import time
from datetime import UTC, datetime
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, ConnectionPool

#: A connection of the read pool.
ReadConnection = AsyncConnection[Any]

#: When a connection of a read pool was tried last, by the monotonic clock.
_tried: WeakKeyDictionary[AsyncConnection, float] = WeakKeyDictionary()

#: A server that went away without a word is noticed after about 10 + 3 * 5 seconds.
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
#: Seconds to wait for a connection.
WAIT = 2
#: How a report begins, in one message. The memory is for one sort or hash table: with PostgreSQL's 4 MB, those over a
#: million events would go to the disk. To compile a query takes longer than most take.
BEGIN = """
    begin isolation level repeatable read, read only;
    set local work_mem = '32MB';
    set local jit = off;
    select now()
"""
#: Seconds after which a connection is tried again before it is lent.
TRY_AFTER = 1
#: Seconds for which a pool tries on its own, ever more seldom; after them the next request makes it try at once.
RECONNECT = 5


def write_pool(database_url: str, *, connections: int) -> ConnectionPool[Connection]:
    """A pool for threads, not opened yet. Whoever waits for a connection in vain gets PoolTimeout."""
    return ConnectionPool(
        database_url,
        kwargs=_connection_options("tjra worker"),
        min_size=1,
        max_size=connections,
        timeout=WAIT,
        reconnect_timeout=RECONNECT,
        open=False,
        name="write",
    )


def read_pool(database_url: str, *, connections: int) -> AsyncConnectionPool[AsyncConnection]:
    """A pool for tasks, not opened yet. Whoever waits for a connection in vain gets PoolTimeout.

    A connection that was idle is tried before it is lent: a report must not fail because the server was restarted since
    the last.
    """
    return AsyncConnectionPool(
        database_url,
        kwargs=_connection_options("tjra reporting"),
        min_size=1,
        max_size=connections,
        timeout=WAIT,
        reconnect_timeout=RECONNECT,
        check=_check_idle,
        open=False,
        name="read",
    )


def connect(database_url: str) -> Connection:
    """A connection for a command that runs for a while, with the pools' options."""
    return psycopg.connect(database_url, **_connection_options("tjra"))


async def begin_snapshot(conn: AsyncConnection) -> datetime:
    """Begin a transaction in which all that is read is of one moment: that moment. The pool ends it."""
    cur = await conn.execute(BEGIN)
    while cur.nextset():
        pass
    (moment,) = await cur.fetchone() or (datetime.now(UTC),)
    return cast("datetime", moment).astimezone(UTC)


async def _check_idle(conn: AsyncConnection) -> None:
    """Raise OperationalError where the server is gone; what was tried a moment ago is not tried again."""
    now = time.monotonic()
    if now - _tried.get(conn, 0) > TRY_AFTER:
        await AsyncConnectionPool.check_connection(conn)
        _tried[conn] = now


def probe(database_url: str) -> None:
    """Raise OperationalError unless a server is there and lets us in."""
    psycopg.connect(database_url, connect_timeout=5).close()


def _connection_options(application_name: str) -> dict[str, Any]:
    return {
        "autocommit": True,
        "prepare_threshold": None,
        "connect_timeout": 5,
        "fallback_application_name": application_name,
        **KEEPALIVE,
    }
