"""The dead letters of a person: finding and emptying them."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import AsyncConnection, Connection

from db.connections.errors import is_data_error
from db.people.identity import in_address, in_json
from db.queries import QUERIES

#: What a dead letter holds once the person is erased.
ERASED = b'{"erased":true}'
#: What its error says where it had their id.
ERASED_ERROR = "the error is erased, as it named a person"


class Letter(NamedTuple):
    """A dead letter that may be a person's."""

    id: UUID
    site_id: str | None
    payload: bytes
    error: str

    def event(self) -> dict[str, Any] | None:
        """The event that it holds; None if that cannot be read."""
        try:
            found = msgspec.json.decode(self.payload, type=dict[str, Any])
        except (ValueError, RecursionError):
            return None
        return found

    def is_of(self, user_id: str) -> bool:
        """Whether it is about an event of theirs. One that cannot be read is, if it names them as a user."""
        event = self.event()
        if event is None:
            return any(name + in_json(user_id) in self.payload for name in (b'"user_id":', b'"visitor_id":'))
        name = "user_id" if event.get("user_id") is not None else "visitor_id"
        return str(event.get(name)) == user_id


async def letters_of(conn: AsyncConnection, site_id: str, user_id: str) -> list[Letter]:
    """The dead letters of a person."""
    cur = await conn.execute(QUERIES["people/letters"], _parameters(site_id, user_id))
    return [letter for row in await cur.fetchall() if (letter := _letter(row)).is_of(user_id)]


def erase_letters(conn: Connection, site_id: str, user_id: str, pseudonym: str) -> int:
    """Empty the dead letters of a person, and take them out of those of others; how many were changed.

    The letters stay, with their states.
    """
    changed = 0
    for letter, payload, error in _changes(conn, site_id, user_id, pseudonym):
        conn.execute(QUERIES["people/put_letter"], {"id": letter.id, "payload": payload, "error": error})
        changed += 1
    return changed


def _changes(conn: Connection, site_id: str, user_id: str, pseudonym: str) -> Iterator[tuple[Letter, bytes, str]]:
    (distinct,) = conn.execute(QUERIES["people/is_distinct"], {"user_id": user_id}).fetchone() or (False,)
    rows = conn.execute(QUERIES["people/letters"], _parameters(site_id, user_id)).fetchall()
    for letter in map(_letter, rows):
        payload, event = letter.payload, letter.event()
        named = in_json(user_id)[1:-1] in payload or in_address(user_id) in payload
        if letter.is_of(user_id) or (distinct and event is None and named):
            payload = ERASED
        elif distinct and event is not None and payload != ERASED:
            payload = without_person(conn, payload, user_id, pseudonym)
            if payload != ERASED and msgspec.json.decode(payload) == event:
                payload = letter.payload
        error = letter.error
        if (distinct or payload is ERASED) and user_id in error:
            error = ERASED_ERROR
        if (payload, error) != (letter.payload, letter.error):
            yield letter, payload, error


def without_person(conn: Connection, payload: bytes, user_id: str, pseudonym: str) -> bytes:
    """The event of somebody else without a person. What PostgreSQL cannot read is emptied."""
    parameters = {"event": payload.decode(), "user_id": user_id, "pseudonym": pseudonym}
    try:
        with conn.transaction():
            row = conn.execute(QUERIES["people/event_without_person"], parameters).fetchone()
    except psycopg.Error as error:
        if not is_data_error(error):
            raise
        return ERASED
    return row[0].encode() if row else ERASED


def _parameters(site_id: str, user_id: str) -> dict[str, Any]:
    return {
        "site_id": site_id,
        "site_text": in_json(site_id),
        "quoted": in_json(user_id)[1:-1],
        "address": in_address(user_id),
        "user_id": user_id,
    }


def _letter(row: Any) -> Letter:
    identity, site_id, payload, error = row
    return Letter(identity, site_id, bytes(payload), error)
