"""Filing what could not be stored: events and messages become dead letters, until somebody replays or discards them."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, NamedTuple
from uuid import UUID, uuid5

import msgspec
from msgspec import Meta
from psycopg import Connection
from psycopg.types.json import Jsonb

from db.connections.pools import writing
from db.events.event import text_fault
from db.queries import QUERIES


class Failure(NamedTuple):
    """Why something could not be stored."""

    error: str
    sqlstate: str | None = None
    """PostgreSQL's code, where it was PostgreSQL that said so."""
    attempts: int = 1


class Letter(msgspec.Struct, kw_only=True):
    """A dead letter to be filed. What its payload does not tell, or tells wrongly, is None."""

    id: UUID
    queue: str
    message_id: str | None
    payload: str
    """In base64."""
    error: str
    sqlstate: str | None
    attempts: int
    site_id: str | None = None
    event_id: UUID | None = None
    event_type: str | None = None
    received_at: datetime | None = None


def file_letters(conn: Connection, letters: Sequence[Letter]) -> None:
    """File dead letters. One that is filed already stays as it is."""
    if letters:
        conn.execute(QUERIES["dead_letters/file"], {"letters": Jsonb(letters, dumps=msgspec.json.encode)})


def file_unreadable(conn: Connection, message: bytes, failure: Failure, *, queue: str) -> None:
    """File a message that cannot be read, so that not even its id is known."""
    # Named by its content, so that it is filed once.
    identity = UUID(bytes=sha256(message).digest()[:16], version=5)
    with writing(conn):
        file_letters(conn, [_letter(identity, queue, None, message, failure)])


def event_letter(queue: str, message_id: str, index: int, event: bytes | msgspec.Raw, failure: Failure) -> Letter:
    """The letter of the event at this index of a message."""
    letter = _letter(uuid5(UUID(message_id), str(index)), queue, message_id, bytes(event), failure)
    told = _fields(event)
    letter.site_id = _text(told, "site_id")
    letter.event_type = _text(told, "event_type")
    letter.event_id = _value(told, "event_id", UUID)
    letter.received_at = _value(told, "received_at", Annotated[datetime, Meta(tz=True)])
    return letter


def message_letter(queue: str, message_id: str, payload: bytes, failure: Failure) -> Letter:
    """The letter of a message in which no events can be told apart."""
    return _letter(uuid5(UUID(message_id), "message"), queue, message_id, payload, failure)


def site_of(event: bytes | msgspec.Raw) -> str | None:
    """The site of an event, if it can be one."""
    return _text(_fields(event), "site_id")


def _letter(identity: UUID, queue: str, message_id: str | None, payload: bytes, failure: Failure) -> Letter:
    return Letter(
        id=identity,
        queue=queue,
        message_id=message_id,
        payload=b64encode(payload).decode(),
        error=failure.error.replace("\0", "\N{SYMBOL FOR NULL}"),
        sqlstate=failure.sqlstate,
        attempts=failure.attempts,
    )


def _fields(event: bytes | msgspec.Raw) -> dict[str, Any]:
    try:
        return msgspec.json.decode(event, type=dict[str, Any])
    except (ValueError, RecursionError):
        return {}


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value and not text_fault(name, value) else None


def _value(fields: dict[str, Any], name: str, kind: Any) -> Any:
    try:
        return msgspec.convert(fields.get(name), kind)
    except msgspec.ValidationError:
        return None
