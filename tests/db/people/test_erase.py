"""A person is erased: nothing names them, every count stays."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from db.people.erase import erase
from db.people.receipts import Erasure, ask, read_receipt
from db.rollups.advance import advance
from db.store.events import store_events
from tests.builders.factories import NOW, batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences

ROLLUPS = ("path_spans", "user_spans", "user_months", "sessions", "top_paths")


def asked(url: str, site: str, person: str) -> Erasure:
    async def work() -> Erasure:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            return await ask(conn, site_id=site, user_id=person, by="a test")

    return asyncio.run(work())


def erased(url: str, conn: Connection, site: str, person: str) -> Erasure:
    receipt = asked(url, site, person)
    erase(conn, site, receipt.erasure_id)

    async def read() -> Erasure | None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
            return await read_receipt(other, site_id=site, erasure_id=receipt.erasure_id)

    found = asyncio.run(read())
    assert found and found.done_at
    return found


def test_first(conn: Connection, database_url: str, shop: str) -> None:
    store_events(conn, batch(
        received(shop, user_id="customer-17", path="/account/customer-17", properties={"email": "a@b.c", "order_id": "o-customer-17-1"}),
        received(shop, user_id="customer-18", path="/account/customer-17"),
        received(shop, user_id="customer-17", event_type="purchase", properties={"revenue": 3, "currency": "EUR", "order_id": "customer-17-1"}),
    ))  # fmt: skip
    for rollup in ROLLUPS:
        while advance(conn, rollup, shop, target=NOW + timedelta(days=40)):
            pass
    receipt = erased(database_url, conn, shop, "customer-17")
    print(receipt)
    for table in ("events", "users", "sessions", "user_months", "path_days", "path_spans", "path_totals", "top_paths", "orders", "session_page_days"):
        for row in conn.execute(f"select * from {table} t where site_id = %s", [shop]):
            print(table, row)
    print(differences(conn, shop))
