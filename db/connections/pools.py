"""The two connection pools: one for the workers' threads, which write, one for the reporting app's tasks, which read;
and the connection of a command.

All work behind a pooler in transaction mode: no prepared statements, every statement a transaction, and no session
state but what such a pooler keeps for each client (SESSION).

A database, a role or the environment (PGDATESTYLE, PGTZ, PGOPTIONS) may have other settings than PostgreSQL's own; what
the code relies on is stated here, and what is an operator's to decide (time limits, read-only, memory) is left alone.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.pq import TransactionStatus

from db.connections.errors import refused
from db.connections.lending import AsyncLivePool, LivePool
from db.connections.libpq import forget_environment, is_ours

#: A connection of the read pool, and one that writes.
ReadConnection = AsyncConnection[Any]
WriteConnection = Connection[Any]

#: A server that went away without a word is noticed after about 10 + 3 * 5 seconds.
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
#: Seconds to wait for a connection.
WAIT = 2
#: How dates, intervals and text are written and read: by the client library, in casts, and in the bodies of functions.
#: These are the settings that PgBouncer keeps for each of its clients, as PostgreSQL reports them to clients.
SESSION = """
    set datestyle = 'ISO, MDY';
    set intervalstyle = 'postgres';
    set timezone = 'UTC';
    set standard_conforming_strings = on
"""
#: How a transaction begins that writes, in one message. Who has waited for a lock has to see what the one before has
#: committed: the default may be another isolation. What is acknowledged in Redis then has to be on PostgreSQL's disk.
BEGIN_WRITING = """
    begin isolation level read committed;
    set local jit = off;
    select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'
"""
#: How a report begins, in one message. Numbers come with all digits that they have. The memory is for one sort or hash
#: table: with PostgreSQL's 4 MB, those over a million events would go to the disk. To compile a query takes longer than
#: most take.
BEGIN = """
    begin isolation level repeatable read, read only;
    set local work_mem = '32MB';
    set local jit = off;
    set local extra_float_digits = 1;
    set local bytea_output = 'hex';
    select now()
"""
#: Seconds for which a pool tries to connect on its own; after them who waits for a connection makes it try at once.
RECONNECT = 0.5


def write_pool(database_url: str, *, connections: int) -> LivePool:
    """A pool for threads, not opened yet. Whoever waits for a connection in vain gets PoolTimeout.

    A connection that died while nobody used it is not lent: a restart of the server costs nobody an error after it.
    """
    return LivePool(
        _own(database_url),
        kwargs=_connection_options("tjra worker"),
        min_size=1,
        max_size=connections,
        timeout=WAIT,
        reconnect_timeout=RECONNECT,
        configure=_configure,
        open=False,
        name="write",
    )


def read_pool(database_url: str, *, connections: int, connection_timeout: float = WAIT) -> AsyncLivePool:
    """The same for tasks."""
    return AsyncLivePool(
        _own(database_url),
        kwargs=_connection_options("tjra reporting"),
        min_size=1,
        max_size=connections,
        timeout=connection_timeout,
        reconnect_timeout=RECONNECT,
        configure=_configure_async,
        open=False,
        name="read",
    )


def connect(database_url: str) -> Connection:
    """A connection for a command that runs for a while, with the pools' options."""
    conn = psycopg.connect(_own(database_url), **_connection_options("tjra"))
    _configure(conn)
    return conn


def writing(conn: Connection) -> AbstractContextManager[None]:
    """A transaction in which each statement sees what was committed before it; within another one, a part of that."""
    return _transaction(conn, BEGIN_WRITING)


def reading(conn: Connection) -> AbstractContextManager[None]:
    """A transaction in which all that is read is of one moment; within another one, a part of that."""
    return _transaction(conn, BEGIN)


@contextmanager
def _transaction(conn: Connection, begin: str) -> Iterator[None]:
    if not conn.autocommit or conn.info.transaction_status != TransactionStatus.IDLE:
        yield
        return
    conn.execute(begin)
    try:
        yield
    except BaseException:
        with suppress(psycopg.OperationalError):  # where the server is gone, so is the transaction
            conn.rollback()
        raise
    conn.commit()


async def begin_snapshot(conn: AsyncConnection) -> datetime:
    """Begin a transaction in which all that is read is of one moment: that moment. The pool ends it."""
    cur = await conn.execute(BEGIN)
    while cur.nextset():
        pass
    (moment,) = await cur.fetchone() or (datetime.now(UTC),)
    return cast("datetime", moment).astimezone(UTC)


def _configure(conn: Connection) -> None:
    conn.execute(SESSION)


async def _configure_async(conn: AsyncConnection) -> None:
    await conn.execute(SESSION)


def probe(database_url: str) -> None:
    """Raise OperationalError unless a server is there and lets us in."""
    psycopg.connect(_own(database_url), connect_timeout=5).close()


def refusal_of(database_url: str) -> str | None:
    """Why the server refuses us, whenever we come; None where it lets us in, or is not up yet."""
    try:
        probe(database_url)
    except psycopg.OperationalError as error:
        return refused(error)
    return None


def _own(database_url: str) -> str:
    """The address; where it is that of our own server, the environment says nothing of it."""
    if is_ours(database_url):
        forget_environment()
    return database_url


def _connection_options(application_name: str) -> dict[str, Any]:
    return {
        "autocommit": True,
        "prepare_threshold": None,
        "connect_timeout": 5,
        "client_encoding": "UTF8",
        "fallback_application_name": application_name,
        **KEEPALIVE,
    }
