"""The dead letters of a person: finding and emptying them."""

from collections.abc import Iterator, Sequence
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

    def is_of(self, user_id: str, visitors: Sequence[str] = ()) -> bool:
        """Whether it is about an event of theirs, or of a visitor of theirs without another user.

        One that cannot be read is, if it names them as a user or as a visitor.
        """
        event = self.event()
        if event is None:
            named = [(name, user_id) for name in (b'"user_id":', b'"visitor_id":')]
            named += [(b'"visitor_id":', visitor) for visitor in visitors]
            return any(name + in_json(text) in self.payload for name, text in named)
        user, visitor = event.get("user_id"), event.get("visitor_id")
        if user is not None and str(user) != str(visitor):
            return str(user) == user_id
        return str(visitor if user is None else user) in (user_id, *visitors)


async def letters_of(conn: AsyncConnection, site_id: str, user_id: str) -> list[Letter]:
    """The dead letters of a person, but for those of their visitors."""
    cur = await conn.execute(QUERIES["people/letters"], _parameters(site_id, user_id))
    return [letter for row in await cur.fetchall() if (letter := _letter(row)).is_of(user_id)]


def erase_letters(conn: Connection, site_id: str, user_id: str, visitors: Sequence[str], pseudonym: str) -> int:
    """Empty the dead letters of a person and their visitors, and take them out of others' letters; how many changed.

    The letters stay, with their states.
    """
    changed = set()
    for name in (user_id, *visitors):
        for letter, payload, error in _changes(conn, site_id, name, user_id, visitors, pseudonym):
            conn.execute(QUERIES["people/put_letter"], {"id": letter.id, "payload": payload, "error": error})
            changed.add(letter.id)
    return len(changed)


def _changes(
    conn: Connection, site_id: str, name: str, user_id: str, visitors: Sequence[str], pseudonym: str
) -> Iterator[tuple[Letter, bytes, str]]:
    """The letters in which a name of the person is, as they have to become."""
    (distinct,) = conn.execute(QUERIES["people/is_distinct"], {"user_id": name}).fetchone() or (False,)
    rows = conn.execute(QUERIES["people/letters"], _parameters(site_id, name)).fetchall()
    for letter in map(_letter, rows):
        payload, event = letter.payload, letter.event()
        named = in_json(name)[1:-1] in payload or in_address(name) in payload
        if letter.is_of(user_id, visitors) or (distinct and event is None and named):
            payload = ERASED
        elif distinct and event is not None:
            payload = without_person(conn, payload, user_id, pseudonym, visitors)
            if payload != ERASED and msgspec.json.decode(payload) == event:
                payload = letter.payload
        error = letter.error
        if (distinct or payload is ERASED) and name in error:
            error = ERASED_ERROR
        if (payload, error) != (letter.payload, letter.error):
            yield letter, payload, error


def without_person(
    conn: Connection, payload: bytes, user_id: str, pseudonym: str, visitors: Sequence[str] = ()
) -> bytes:
    """The event of somebody else without a person and their visitors. What PostgreSQL cannot read is emptied, and what
    is empty stays so."""
    if payload == ERASED:
        return ERASED
    parameters = {"event": payload.decode(), "user_id": user_id, "pseudonym": pseudonym, "visitors": list(visitors)}
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
