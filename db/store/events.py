"""Storing events: `store_messages(conn, messages)`. A message that is delivered again changes nothing."""

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

from db.connections.pools import writing
from db.queries import QUERIES

#: For so long after its arrival an event's id stands for it alone: what comes with it again is the same event.
IDS_KEPT = timedelta(days=8)


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
    return json_array(events for message in messages if (events := message.events[1:-1]))


def json_array(events: Iterable[bytes | msgspec.Raw]) -> bytes:
    return b"[" + b",".join(map(bytes, events)) + b"]"
