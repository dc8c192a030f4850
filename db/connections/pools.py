"""The connection pools: one for the workers' threads, which write, one for the reporting app's tasks, which read;
and the connection of a command.

All of them work behind a pooler in transaction mode: no prepared statements, every statement a transaction, and no
session state except what such a pooler keeps per client (SESSION).

A database, a role or the environment (PGDATESTYLE, PGTZ, PGOPTIONS) may override PostgreSQL's default settings. This
module sets those that the code relies on, and leaves an operator's choices (timeouts, read-only, memory) unchanged.
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

#: A connection of the read pool, and one of the write pool.
ReadConnection = AsyncConnection[Any]
WriteConnection = Connection[Any]

#: A server that disappears silently is noticed after about 10 + 3 * 5 seconds.
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
#: Seconds to wait for a connection.
WAIT = 2
#: The formats of dates, intervals and text: in the client library, in casts, and in the bodies of functions. PgBouncer
#: keeps these settings per client, because PostgreSQL reports them to clients.
SESSION = """
    set datestyle = 'ISO, MDY';
    set intervalstyle = 'postgres';
    set timezone = 'UTC';
    set standard_conforming_strings = on
"""
#: Begins a transaction that writes, in one message. READ COMMITTED, as a transaction that waited for a lock has to see
#: what was committed before it, and the default may differ. Synchronous, as its messages are acknowledged after it.
BEGIN_WRITING = """
    begin isolation level read committed;
    set local jit = off;
    select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'
"""
#: Begins a report, in one message. Floats have all their digits. work_mem is for one sort or hash table: with
#: PostgreSQL's 4 MB, those over a million events would go to disk. JIT compilation takes longer than most reports.
BEGIN = """
    begin isolation level repeatable read, read only;
    set local work_mem = '32MB';
    set local jit = off;
    set local extra_float_digits = 1;
    set local bytea_output = 'hex';
    select now()
"""
#: Seconds for which a pool tries to connect by itself; after that each waiting request makes it try again.
RECONNECT = 0.5


def write_pool(database_url: str, *, connections: int, connection_timeout: float = WAIT) -> LivePool:
    """A pool for threads, not opened yet. A request that gets no connection in time raises PoolTimeout.

    Dead idle connections are not checked out, so a restart of the server causes no errors afterwards.
    """
    return LivePool(
        _own(database_url),
        kwargs=_connection_options("tjra worker"),
        min_size=1,
        max_size=connections,
        timeout=connection_timeout,
        reconnect_timeout=RECONNECT,
        configure=_configure,
        open=False,
        name="write",
    )


def read_pool(database_url: str, *, connections: int, connection_timeout: float = WAIT) -> AsyncLivePool:
    """A pool for tasks, not opened yet; otherwise as write_pool."""
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
    """A connection for a command, with the pools' options."""
    conn = psycopg.connect(_own(database_url), **_connection_options("tjra"))
    _configure(conn)
    return conn


def writing(conn: Connection) -> AbstractContextManager[None]:
    """A READ COMMITTED transaction. Within another transaction: a part of that."""
    return _transaction(conn, BEGIN_WRITING)


def reading(conn: Connection) -> AbstractContextManager[None]:
    """A read-only transaction on one snapshot. Within another transaction: a part of that."""
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
        with suppress(psycopg.OperationalError):  # if the server is gone, so is the transaction
            conn.rollback()
        raise
    conn.commit()


async def begin_snapshot(conn: AsyncConnection) -> datetime:
    """Begin a read-only transaction on one snapshot and return its time. The pool ends it."""
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
    """Raise OperationalError unless the server is up and accepts us."""
    psycopg.connect(_own(database_url), connect_timeout=5).close()


def refusal_of(database_url: str) -> str | None:
    """Why the server refuses us permanently; None if it accepts us, or is not up yet."""
    try:
        probe(database_url)
    except psycopg.OperationalError as error:
        return refused(error)
    return None


def _own(database_url: str) -> str:
    """The address. If it is that of our own server, removes the environment variables that would change it."""
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
