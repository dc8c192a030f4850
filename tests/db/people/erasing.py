"""Erasing in tests: `erased(url, conn, site, person)` is the receipt of an erasure that is done."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, get_args

import psycopg
from uuid_utils.compat import uuid7

from db.people.erase import erase
from db.people.receipts import Erasure, ask, read_receipt
from db.rollups.advance import Rollup, advance
from tests.builders.factories import NOW
from tests.conftest import Connection


def asked(url: str, site: str, person: str) -> Erasure:
    """An erasure that is asked for."""

    async def work() -> Erasure:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            return await ask(conn, site_id=site, user_id=person, by="a test")

    return asyncio.run(work())


def receipt_of(url: str, one: Erasure) -> Erasure:
    """Its receipt as it is now."""

    async def work() -> Erasure | None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            return await read_receipt(conn, site_id=one.site_id, erasure_id=one.erasure_id)

    found = asyncio.run(work())
    assert found
    return found


def erased(url: str, conn: Connection, site: str, person: str, *, now: datetime | None = None) -> Erasure:
    """An erasure that is done."""
    one = asked(url, site, person)
    erase(conn, site, one.erasure_id, now=now)
    found = receipt_of(url, one)
    assert found.done_at
    return found


def advance_all(conn: Connection, site: str, target: datetime = NOW + timedelta(days=40)) -> None:
    """Write all deferred rollups of a site."""
    for rollup in get_args(Rollup):
        while advance(conn, rollup, site, target=target):
            pass


def texts(conn: Connection, site: str) -> str:
    """All rows of all tables that a site has, as text."""
    tables = conn.execute(
        "select distinct c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'site_id'"
        " where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
    ).fetchall()
    found: list[Any] = []
    for (table,) in tables:
        rows = conn.execute(f"select t::text from {table} t where site_id = %s".encode(), [site])
        found += [f"{table}: {text}" for (text,) in rows]
    payloads = conn.execute("select convert_from(payload, 'UTF8') from dead_letters where site_id = %s", [site])
    return "\n".join([*found, *(text for (text,) in payloads)])


def rows(conn: Connection, query: str, *values: Any) -> list[Any]:
    """The rows of a query."""
    return conn.execute(query.encode(), values).fetchall()


def users(conn: Connection, site: str) -> list[str]:
    """The users of a site, by their numbers."""
    return [name for (name,) in rows(conn, "select user_id from users where site_id = %s order by user_no", site)]


def message_id() -> str:
    """A new one."""
    return str(uuid7())
