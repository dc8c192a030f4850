"""Databases of a test's own, and the connection that one test after another uses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus


@contextmanager
def databases(url: str) -> Iterator[Callable[..., str]]:
    """Makes empty databases beside this one, and drops them: what it yields returns the address of a new one."""
    made = []

    def make(encoding: str = "UTF8") -> str:
        name = f"test_{uuid4().hex[:12]}"
        administer(f"create database {name} encoding '{encoding}' locale 'C' template template0")
        made.append(name)
        return make_conninfo(url, dbname=name)

    def administer(statement: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(statement.encode())

    yield make
    for name in made:
        administer(f"drop database {name} with (force)")


def is_idle(conn: psycopg.Connection[Any]) -> bool:
    """Whether it is open, and in no transaction."""
    return not conn.closed and conn.info.transaction_status == TransactionStatus.IDLE


def is_as_new(conn: psycopg.Connection[Any]) -> bool:
    """Whether a connection is fit for another test, once its settings are undone."""
    if not is_idle(conn):
        return False
    try:
        conn.execute("reset all")
        held = conn.execute("select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()").fetchone()
    except psycopg.Error:
        return False
    return held is None
