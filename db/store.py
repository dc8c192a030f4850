"""Storing events: `store_messages(conn, messages)`, and `store_apart` for a message that holds events which cannot be.

Both settle their messages: what a message did is done, once, also when it is delivered again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import psycopg
from psycopg import Connection, DataError
from psycopg.errors import CheckViolation
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.failures import is_of_the_data
from db.filing import Failure, Letter, event_letter, file_letters, message_letter, site_of
from db.queries import QUERIES

_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class AlreadySettled(Exception):
    """The message was settled by an earlier delivery: there is nothing left to do for it."""


class Message(NamedTuple):
    """A message of the queue."""

    id: str
    """Its id: a UUID."""
    events: bytes
    """A JSON array of events as the queue carries them."""


class Stored(NamedTuple):
    """What one flush did."""

    received: int
    """How many events there were."""
    stored: int
    """How many of them were new."""
    dead: int = 0
    """How many could not be stored, and are dead letters now."""

    @property
    def duplicates(self) -> int:
        """How many were stored before."""
        return max(0, self.received - self.stored - self.dead)


def store_messages(conn: Connection, messages: Sequence[Message]) -> Stored:
    """Store the events that are new, with all rollups, in one transaction; makes a partition that they lack.

    All messages or none: raises AlreadySettled if one of them is settled, and psycopg's errors; `db.failures` says what
    those mean.
    """
    batch = _joined(messages)
    parameters = {"ids": [message.id for message in messages], "batch": jsonb(batch)}
    try:
        return _stored(conn, "store/store_messages", parameters)
    except CheckViolation:  # no partition for some event: they are made in a transaction of their own
        _make_partitions(conn, batch)
        return _stored(conn, "store/store_messages", parameters)


def store_apart(conn: Connection, message: Message, *, queue: str) -> Stored:
    """Store what can be stored of a message and file the rest as dead letters, in one transaction.

    The message's events are halved, and what cannot be stored halved again, until each bad one stands alone.
    """
    with conn.transaction():
        settle_message(conn, message.id)
        try:
            events = list(enumerate(_elements(message.events)))
        except ValueError as error:
            file_letters(conn, [message_letter(queue, message.id, message.events, Failure(str(error)))])
            return Stored(0, 0, dead=1)
        lock_sites(conn, filter(None, (site_of(event) for _, event in events)))
        letters: list[Letter] = []
        stored = 0
        parts = [events] if events else []
        while parts:
            part = parts.pop()
            try:
                with conn.transaction():
                    stored += store_events(conn, _array(event for _, event in part)).stored
            except psycopg.Error as error:
                if not is_of_the_data(error):
                    raise
                if len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                else:
                    letters.append(event_letter(queue, message.id, *part[0], failure_of(error)))
        file_letters(conn, letters)
    return Stored(len(events), stored, dead=len(letters))


def file_message(conn: Connection, message: Message, failure: Failure, *, queue: str) -> Stored:
    """File all events of a message as dead letters, for a reason that was none of theirs."""
    with conn.transaction():
        settle_message(conn, message.id)
        try:
            events = _elements(message.events)
        except ValueError:
            file_letters(conn, [message_letter(queue, message.id, message.events, failure)])
            return Stored(0, 0, dead=1)
        lock_sites(conn, filter(None, map(site_of, events)))
        file_letters(conn, [event_letter(queue, message.id, *event, failure) for event in enumerate(events)])
    return Stored(len(events), 0, dead=len(events))


def store_events(conn: Connection, batch: bytes) -> Stored:
    """Store the events of a JSON array that are new, within the caller's transaction; makes a partition they lack."""
    try:
        with conn.transaction():
            return _stored(conn, "store/store_events", {"batch": jsonb(batch)})
    except CheckViolation:
        _make_partitions(conn, batch)
        return _stored(conn, "store/store_events", {"batch": jsonb(batch)})


def settle_message(conn: Connection, message_id: str) -> None:
    """Note that a message is settled. Raises AlreadySettled."""
    with _settled_once():
        conn.execute(QUERIES["store/settle_message"], {"id": message_id})


def lock_sites(conn: Connection, sites: Iterable[str]) -> None:
    """Hold these sites until the end of the transaction; whoever locks several does so at once, or meets deadlocks."""
    conn.execute(QUERIES["store/lock_sites"], {"sites": list(set(sites))})


def make_partitions_ahead(conn: Connection) -> None:
    """Make the partitions of this week and the next two."""
    conn.execute(QUERIES["store/make_partitions_ahead"])


def forget_settled_messages(conn: Connection) -> None:
    """Forget the messages that were settled days ago."""
    conn.execute(QUERIES["store/forget_settled_messages"])


def failure_of(error: psycopg.Error) -> Failure:
    """What a dead letter says of an error of PostgreSQL's."""
    return Failure(error.diag.message_primary or str(error), error.sqlstate)


def jsonb(text: bytes) -> Jsonb:
    """JSON text as a parameter, as it is."""
    if b"\0" in text:  # the client library would cut it there, and what follows would be lost without a word
        raise DataError("a batch holds a NUL byte")
    return Jsonb(text, dumps=bytes)


def _stored(conn: Connection, query: str, parameters: dict[str, Any]) -> Stored:
    with _settled_once(), conn.cursor(row_factory=class_row(Stored)) as cur:
        return cur.execute(QUERIES[query], parameters).fetchone() or Stored(0, 0)


def _make_partitions(conn: Connection, batch: bytes) -> None:
    conn.execute(QUERIES["store/make_partitions"], {"batch": jsonb(batch)})


@contextmanager
def _settled_once() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        # By the message: where Citus copies rows to a node, that is all it tells of the node's error, without its code.
        # A shard's number follows the name.
        if "settled_messages_pkey" in (error.diag.message_primary or ""):
            raise AlreadySettled from None
        raise


def _joined(messages: Sequence[Message]) -> bytes:
    """One JSON array of several. A lone one stays as it is, whatever it is: PostgreSQL says what is wrong with it."""
    if len(messages) == 1:
        return messages[0].events
    return _array(events for message in messages if (events := message.events[1:-1]))


def _array(events: Iterable[bytes | msgspec.Raw]) -> bytes:
    return b"[" + b",".join(map(bytes, events)) + b"]"
