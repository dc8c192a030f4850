"""The two connection pools: one for the workers' threads, which write, one for the reporting app's tasks, which read;
and the connection of a command.

All work behind a pooler in transaction mode: no prepared statements, no session state, every statement a transaction.
"""

from datetime import UTC, datetime
from typing import Any, cast

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, ConnectionPool

#: A connection of the read pool.
ReadConnection = AsyncConnection[Any]

#: A server that went away without a word is noticed after about 10 + 3 * 5 seconds.
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
#: Seconds to wait for a connection.
WAIT = 2
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

    A connection is tried before it is lent: a report must not fail because the server was restarted since the last.
    """
    return AsyncConnectionPool(
        database_url,
        kwargs=_connection_options("tjra reporting"),
        min_size=1,
        max_size=connections,
        timeout=WAIT,
        reconnect_timeout=RECONNECT,
        check=AsyncConnectionPool.check_connection,
        open=False,
        name="read",
    )


def connect(database_url: str) -> Connection:
    """A connection for a command that runs for a while, with the pools' options."""
    return psycopg.connect(database_url, **_connection_options("tjra"))


async def begin_snapshot(conn: AsyncConnection) -> datetime:
    """Make all that this transaction will read be of one moment: that moment."""
    await conn.execute("set transaction isolation level repeatable read, read only")
    (moment,) = await (await conn.execute("select now()")).fetchone() or (datetime.now(UTC),)
    return cast("datetime", moment)


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
