"""Each SQL file is a statement that Citus can plan: it does there what it does on plain PostgreSQL, faults included."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from db.migrations import migrate
from db.queries import QUERIES
from db.store.events import Message, store_messages
from tests.citus.conftest import MakeDatabase
from tests.citus.history import History
from tests.citus.pair import Pair
from tests.conftest import Connection

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
START, END = NOW - timedelta(days=8), NOW - timedelta(days=1)
#: What a parameter of this name may be; null where the name is not here.
VALUES: dict[str, Any] = {
    "site_id": "berlin",
    "now": NOW,
    "as_of": NOW,
    "present": NOW,
    "target": NOW,
    "start": START,
    "end": END,
    "first_day": START.date(),
    "last_day": END.date(),
    "end_day": END.date(),
    "days_until": END.date(),
    "days_from": END.date(),
    "from": START.date(),
    "to": END.date(),
    "date": START.date(),
    "span_firsts": [],
    "span_ends": [],
    "timezone": "UTC",
    "interval": "day",
    "step": "1 day",
    "path": "/",
    "dimension": "path",
    "property": [],
    "direction": "from",
    "steps": 2,
    "periods": 3,
    "search": "",
    "after": "",
    "only": [],
    "limit": 10,
    "most": 10,
    "days": 5,
    "user_id": "user 1",
    "event_id": UUID(int=1),
    "with_key": UUID(int=1),
    "without_key": UUID(int=2),
    "id": UUID(int=1),
    "ids": [],
    "sites": ["berlin"],
    "site_ids": ["berlin"],
    "batch": Jsonb([]),
    "letters": Jsonb([]),
    "counts": Jsonb([]),
    "renumber": False,
    "source": "here",
    "open": "{}",
    "covered_until": END,
    "first_hours": [START],
    "last_hours": [END],
    "first_from": START,
    "first_to": END,
    "last_from": START,
    "last_to": END,
    "before_time": END,
    "before_id": UUID(int=0),
}


@pytest.fixture(scope="module")
def pair(plain_database: str, citus_database: MakeDatabase) -> Iterator[Pair]:
    """Both, with some events."""
    urls = plain_database, citus_database()
    for url in urls:
        migrate(url)
    pair = Pair(*urls)
    for flush in History(now=NOW, events=500, days=20).flushes():
        pair.both(store_messages, [Message(str(uuid4()), message.events) for message in flush])
    yield pair
    pair.close()


#: Those of backups are never run there: `tjra backup` refuses Citus.
ASKED = [name for name in QUERIES if not name.startswith("backups/")]


@pytest.mark.parametrize("name", ASKED)
def test_it_does_the_same(pair: Pair, name: str) -> None:
    outcome = pair.both(done, name)
    assert outcome not in ("0A000", "XX000"), name


def done(conn: Connection, name: str) -> str | int:
    """How many rows a statement is about, or its error's code; nothing stays of it."""
    text = QUERIES[name].decode()
    parameters = {key: VALUES.get(key) for key in re.findall(r"(?<!%)%\((\w+)\)s", text)}
    try:
        with conn.transaction(force_rollback=True):
            return conn.execute(QUERIES[name], parameters).rowcount
    except psycopg.Error as error:
        return error.sqlstate or str(error)
