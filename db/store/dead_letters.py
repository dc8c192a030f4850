"""Dead-lettering events and messages that could not be stored, so that they can be replayed or discarded."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, NamedTuple
from uuid import UUID, uuid5

import msgspec
from msgspec import Meta
from psycopg import Connection
from psycopg.types.json import Jsonb

from db.connections.pools import writing
from db.events.limits import text_fault
from db.people.identity import hash_of, keys_of, visitor_hash_of
from db.people.letters import ERASED, ERASED_ERROR, without_person
from db.queries import QUERIES


class Failure(NamedTuple):
    """Why something could not be stored."""

    error: str
    sqlstate: str | None = None
    """PostgreSQL's error code, if it is an error of PostgreSQL."""
    attempts: int = 1


class Letter(msgspec.Struct, kw_only=True):
    """A new dead letter. Fields that its payload lacks, or that are invalid there, are None."""

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
    """Insert dead letters. Existing ones stay unchanged. What is of a person who was erased meanwhile comes empty."""
    if letters:
        _empty_those_of_erased(conn, letters)
        conn.execute(QUERIES["dead_letters/file"], {"letters": Jsonb(letters, dumps=msgspec.json.encode)})


def _empty_those_of_erased(conn: Connection, letters: Sequence[Letter]) -> None:
    (some,) = conn.execute(QUERIES["people/has_erased"]).fetchone() or (False,)
    if not some:
        return
    keys = keys_of(conn, {letter.site_id for letter in letters if letter.site_id})
    named = [one for letter in letters if letter.site_id in keys for one in _names(letter, keys[letter.site_id])]
    parameters = {
        "sites": [one.letter.site_id for one in named],
        "people": [one.person for one in named],
        "times": [one.letter.received_at for one in named],
    }
    for place, pseudonym in conn.execute(QUERIES["people/erased_letters"], parameters).fetchall():
        one = named[place - 1]
        payload = ERASED if one.own else without_person(conn, b64decode(one.letter.payload), one.id, pseudonym)
        one.letter.payload, one.letter.error = b64encode(payload).decode(), ERASED_ERROR


class _Named(NamedTuple):
    """A new dead letter, and an id that it names."""

    letter: Letter
    id: str
    person: bytes
    """The hash of whom the id names."""
    own: bool
    """Whether it is an event of whom the id names; else it is its visitor's, and somebody else's."""


def _names(letter: Letter, key: bytes) -> list[_Named]:
    """Its user and its visitor, as far as it names them; the visitor may have been erased as such, or as a person."""
    fields = _fields(b64decode(letter.payload))
    user, visitor = _text(fields, "user_id"), _text(fields, "visitor_id")
    hashes = [(user, hash_of), (visitor, hash_of), (visitor, visitor_hash_of)]
    return [_Named(letter, one, hashed(key, one), one == (user or visitor)) for one, hashed in hashes if one]


def file_unreadable(conn: Connection, message: bytes, failure: Failure, *, queue: str) -> None:
    """Dead-letter an unreadable message, of which not even the id is known."""
    # The letter's id is derived from the content, so that it is inserted once.
    identity = UUID(bytes=sha256(message).digest()[:16], version=5)
    with writing(conn):
        file_letters(conn, [_letter(identity, queue, None, message, failure)])


def event_letter(queue: str, message_id: str, index: int, event: bytes | msgspec.Raw, failure: Failure) -> Letter:
    """The letter for the event at this index of a message."""
    letter = _letter(uuid5(UUID(message_id), str(index)), queue, message_id, bytes(event), failure)
    fields = _fields(event)
    letter.site_id = _text(fields, "site_id")
    letter.event_type = _text(fields, "event_type")
    letter.event_id = _value(fields, "event_id", UUID)
    letter.received_at = _value(fields, "received_at", Annotated[datetime, Meta(tz=True)])
    return letter


def message_letter(queue: str, message_id: str, payload: bytes, failure: Failure) -> Letter:
    """The letter for a message whose events cannot be separated."""
    return _letter(uuid5(UUID(message_id), "message"), queue, message_id, payload, failure)


def site_of(event: bytes | msgspec.Raw) -> str | None:
    """The site of an event, if it is valid."""
    return _text(_fields(event), "site_id")


def time_of(event: bytes | msgspec.Raw) -> datetime | None:
    """The time of an event in UTC, if it is valid; without an offset it is in UTC already."""
    moment: datetime | None = _value(_fields(event), "timestamp", datetime)
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # before the first year, or after the last
        return None


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
