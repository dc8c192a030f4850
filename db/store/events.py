"""Storing events: `store_messages(conn, messages)`, and `store_apart` for a message that holds events which cannot be.

Both settle their messages: what a message did is done, once, also when it is delivered again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import psycopg
from psycopg import Connection, DataError
from psycopg.errors import CheckViolation
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.connections.errors import is_data_error
from db.connections.pools import writing
from db.queries import QUERIES
from db.store.dead_letters import Failure, Letter, event_letter, file_letters, message_letter, site_of

#: For so long after its arrival an event's id stands for it alone: what comes with it again is the same event.
IDS_KEPT = timedelta(days=8)

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


def store_messages(conn: Connection, messages: Sequence[Message], *, now: datetime | None = None) -> Stored:
    """Store the events that are new, with all rollups, in one transaction; makes a partition that they lack.

    All messages or none: raises AlreadySettled if one of them is settled, and psycopg's errors; db.connections.errors
    says what those mean. `now`: the present, if it is not that of the database's clock; so throughout this module.
    """
    batch = _joined(messages)
    parameters = {"ids": [message.id for message in messages], "batch": jsonb(batch), "now": now}
    try:
        with writing(conn):
            return _stored(conn, "store/store_messages", parameters)
    except CheckViolation:  # no partition for some event: they are made in a transaction of their own
        with writing(conn):
            _make_partitions(conn, batch, now)
        with writing(conn):
            return _stored(conn, "store/store_messages", parameters)


def store_apart(conn: Connection, message: Message, *, queue: str, now: datetime | None = None) -> Stored:
    """Store what can be stored of a message and file the rest as dead letters, in one transaction.

    The message's events are halved, and what cannot be stored halved again, until each bad one stands alone.
    """
    with writing(conn):
        settle_message(conn, message.id, now=now)
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
                    stored += store_events(conn, _array(event for _, event in part), now=now).stored
            except psycopg.Error as error:
                if not is_data_error(error):
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
    with writing(conn):
        settle_message(conn, message.id)
        try:
            events = _elements(message.events)
        except ValueError:
            file_letters(conn, [message_letter(queue, message.id, message.events, failure)])
            return Stored(0, 0, dead=1)
        lock_sites(conn, filter(None, map(site_of, events)))
        file_letters(conn, [event_letter(queue, message.id, *event, failure) for event in enumerate(events)])
    return Stored(len(events), 0, dead=len(events))


def store_events(conn: Connection, batch: bytes, *, now: datetime | None = None) -> Stored:
    """Store the events of a JSON array that are new, within the caller's transaction; makes a partition they lack."""
    parameters = {"batch": jsonb(batch), "now": now}
    try:
        with conn.transaction():
            return _stored(conn, "store/store_events", parameters)
    except CheckViolation:
        _make_partitions(conn, batch, now)
        return _stored(conn, "store/store_events", parameters)


def settle_message(conn: Connection, message_id: str, *, now: datetime | None = None) -> None:
    """Note that a message is settled. Raises AlreadySettled."""
    with _settled_once():
        conn.execute(QUERIES["store/settle_message"], {"id": message_id, "now": now or datetime.now(UTC)})


def lock_sites(conn: Connection, sites: Iterable[str]) -> None:
    """Hold these sites until the end of the transaction; whoever locks several does so at once, or meets deadlocks."""
    conn.execute(QUERIES["store/lock_sites"], {"sites": list(set(sites))})


def make_partitions_ahead(conn: Connection, now: datetime | None = None) -> None:
    """Make the partitions of this week and the next two, of the database's clock where `now` is not given."""
    with writing(conn):
        conn.execute(QUERIES["store/make_partitions_ahead"], {"now": now})


def forget_settled_messages(conn: Connection, now: datetime | None = None) -> None:
    """Forget the messages that were settled days before others.

    Where none was settled for a while nothing is forgotten: after a stop of days, those from before it come again.
    """
    with writing(conn):
        (last_settled,) = conn.execute(QUERIES["store/last_settled"], {"now": now or datetime.now(UTC)}).fetchone() or (
            None,
        )
        if last_settled is not None:
            conn.execute(QUERIES["store/forget_settled_messages"], {"last_settled": last_settled})


def forget_event_ids(conn: Connection, now: datetime | None = None) -> None:
    """Forget the ids of events that came more than IDS_KEPT ago."""
    with writing(conn):
        conn.execute(QUERIES["store/forget_event_ids"], {"now": now or datetime.now(UTC), "days": IDS_KEPT.days})


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


def _make_partitions(conn: Connection, batch: bytes, now: datetime | None = None) -> None:
    conn.execute(QUERIES["store/make_partitions"], {"batch": jsonb(batch), "now": now})


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
