"""The audit: who did what that others may ask about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.connections.pools import ReadConnection
from db.queries import QUERIES

#: Who does something from the command line.
COMMAND_LINE = "command line"


class Entry(msgspec.Struct, kw_only=True):
    """Something that somebody did."""

    id: int
    at: datetime
    actor: Annotated[str, Meta(description="The name and id of their key, or `command line`.")]
    action: Annotated[str, Meta(examples=["key.create"])]
    details: dict[str, Any]


async def note(conn: ReadConnection, actor: str, action: str, details: Mapping[str, Any]) -> None:
    """Note what somebody did."""
    parameters = {"actor": actor, "action": action, "details": Jsonb(msgspec.to_builtins(dict(details)))}
    await conn.execute(QUERIES["access/note_audit"], parameters)


def note_on(conn: Connection, actor: str, action: str, details: Mapping[str, Any]) -> None:
    """The same, on the connection of a command."""
    parameters = {"actor": actor, "action": action, "details": Jsonb(msgspec.to_builtins(dict(details)))}
    conn.execute(QUERIES["access/note_audit"], parameters)


async def entries(conn: ReadConnection, *, before: int | None, limit: int) -> list[Entry]:
    """The entries before one with this id, the newest first."""
    async with conn.cursor(row_factory=class_row(Entry)) as cur:
        await cur.execute(QUERIES["access/list_audit"], {"before": before, "limit": limit})
        return await cur.fetchall()
