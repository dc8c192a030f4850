"""Storing as the version before 0.1.0 did it, in its schema: what a life may begin with."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from db.events.event import ReceivedEvent
from tests.life.counting.world import World
from tests.life.writing.steps import Message


def store_as_before(conn: Connection[Any], world: World, messages: Iterable[Message], *, now: datetime) -> None:
    """Store messages with the functions of that schema, each id once."""
    for message in messages:
        seen = {one.event_id for site in world.sites.values() for one in site.stored}
        events = [
            _of_before(one)
            for one in {one.event_id: one for one in message.events if one.event_id not in seen}.values()
        ]
        for moment in {one.timestamp for one in events}:
            conn.execute("select make_partition(%s)", [moment])
        batch = msgspec.json.encode(events).decode()
        conn.execute("select * from store_messages(%s::uuid[], %s::jsonb, %s)", [[message.id], batch, now])
        world.store(events, now=now)


def _of_before(event: ReceivedEvent) -> ReceivedEvent:
    """The event as that version had it: its ingestion marked no sales, and took a visitor without a user for one."""
    properties = event.properties and {name: value for name, value in event.properties.items() if name != "public_key"}
    user_id = event.user_id or event.visitor_id
    return msgspec.structs.replace(event, properties=properties, user_id=user_id, visitor_id=None)
