"""How PostgreSQL stores many events of one site once it knows how small the table of sites is: no join of the events
with their users, ids, orders or days looks at each pair of both."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from db.migrations import migrate
from db.store.events import store_events
from tests.builders.factories import NOW, batch, received
from tests.conftest import Connection

EmptyDatabase = Callable[..., str]
#: Events of a flush, and pairs that a join may look at in vain for each.
EVENTS, PAIRS = 1_500, 5
EXPLAINED = (
    "load 'auto_explain'", "set auto_explain.log_min_duration = 0", "set auto_explain.log_analyze = on",
    "set auto_explain.log_timing = off", "set auto_explain.log_nested_statements = on", "set client_min_messages = log",
)  # fmt: skip
KINDS: dict[str, dict[str, Callable[[Random, int], Any]]] = {
    "users, new and known": {"user_id": lambda random, _: f"user {random.randrange(3_000)}"},
    "ids of clients, twice": {"event_id": lambda _, number: str(UUID(int=number, version=4))},
    "orders, twice": {
        "event_type": lambda *_: "purchase",
        "properties": lambda _, number: {"order_id": f"order {number}", "revenue": 1, "currency": "EUR"},
    },
}


@pytest.fixture
def one_site(empty_database: EmptyDatabase) -> Iterator[Connection]:
    """A database with one site, some events, and statistics of both."""
    url = empty_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        store_events(conn, events(Random(1), KINDS["users, new and known"]))
        conn.execute("vacuum analyze")
        yield conn


def events(random: Random, kind: dict[str, Callable[[Random, int], Any]]) -> bytes:
    """A flush, in which all else is usual."""
    usual: dict[str, Callable[[Random, int], Any]] = {
        "user_id": lambda random, _: f"user {random.randrange(300)}",
        "path": lambda random, _: f"/products/{random.randrange(400)}",
        "timestamp": lambda _, number: (NOW + timedelta(seconds=number)).isoformat(),
    }
    made = usual | kind
    return batch(
        *(received("shop", **{name: make(random, number) for name, make in made.items()}) for number in range(EVENTS))
    )


@contextmanager
def pairs_in_vain(conn: Connection) -> Iterator[list[int]]:
    """Of each join of the statements meanwhile, also of functions, how many pairs it looked at that did not fit."""
    found: list[int] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        found.extend(map(int, re.findall(r"Rows Removed by Join Filter: (\d+)", diagnostic.message_primary or "")))

    for statement in EXPLAINED:
        conn.execute(statement.encode())
    conn.add_notice_handler(note)
    yield found
    conn.remove_notice_handler(note)


@pytest.mark.parametrize("kind", KINDS)
def test_no_join_looks_at_each_pair(one_site: Connection, kind: str) -> None:
    for flush in range(2):
        with pairs_in_vain(one_site) as found:
            store_events(one_site, events(Random(flush), KINDS[kind]))
        assert max(found, default=0) <= PAIRS * EVENTS
