"""The schema of the version before this one, and storing as that did it: what a life may begin with."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from db.migrations import _known
from db.queries import MIGRATIONS
from tests.life.counting.world import World
from tests.life.writing.steps import Message

#: The last migration that was in it.
LAST = "0023_store_events"


def migrate_as_landed(url: str) -> None:
    """Bring an empty database to that schema."""
    with psycopg.connect(url) as conn:
        _known(conn)
        for path in MIGRATIONS:
            if path.stem <= LAST:
                text = path.read_bytes()
                conn.execute(text)
                insert = "insert into migrations (name, checksum) values (%s, %s)"
                conn.execute(insert, [path.stem, sha256(text).hexdigest()])


def store_as_landed(conn: Connection[Any], world: World, messages: Iterable[Message], *, now: datetime) -> None:
    """Store messages with the functions of that schema, each id once: another time of it was another event then."""
    for message in messages:
        seen = {one.event_id for site in world.sites.values() for one in site.events}
        events = list({one.event_id: one for one in message.events if one.event_id not in seen}.values())
        for moment in {one.timestamp for one in events}:
            conn.execute("select make_partition(%s)", [moment])
        batch = msgspec.json.encode(events).decode()
        conn.execute("select * from store_messages(%s::uuid[], %s::jsonb)", [[message.id], batch])
        world.store(events, now=now)
