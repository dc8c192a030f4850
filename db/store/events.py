"""Storing events: `store_messages(conn, messages)`. A message that is delivered again changes nothing.

Glossary: a message is "settled" (settled_messages, AlreadySettled, settle_message) once it is processed, that is, each
of its events is stored, a duplicate or a dead letter. settled_days counts these outcomes by day.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
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

#: How long an event's id identifies it after its arrival: another event with the same id is a duplicate.
IDS_KEPT = timedelta(days=8)


class AlreadySettled(Exception):
    """The message was processed by an earlier delivery: nothing is left to do."""


class Message(NamedTuple):
    """A message of the queue."""

    id: str
    """Its id: a UUID."""
    events: bytes
    """A JSON array of events as the queue carries them."""


class Stored(NamedTuple):
    """The result of one flush."""

    received: int
    """How many events it had."""
    stored: int
    """How many of them were new."""
    dead: int = 0
    """How many became dead letters, because they could not be stored."""

    @property
    def duplicates(self) -> int:
        """How many had been stored before."""
        return max(0, self.received - self.stored - self.dead)


def store_messages(conn: Connection, messages: Sequence[Message], *, now: datetime | None = None) -> Stored:
    """Store the new events, with all rollups, in one transaction; creates missing partitions.

    All messages or none: raises AlreadySettled if one of them was processed before, and psycopg's errors, which
    db.connections.errors classifies. `now`: the current time instead of the database's clock, as in all this module.
    """
    batch = _joined(messages)
    parameters = {"ids": [message.id for message in messages], "batch": jsonb(batch), "now": now}
    try:
        with writing(conn):
            return _stored(conn, "store/store_messages", parameters)
    except CheckViolation:  # a partition is missing: create it in a transaction of its own
        with writing(conn):
            _make_partitions(conn, batch, now)
        with writing(conn):
            return _stored(conn, "store/store_messages", parameters)


def store_events(conn: Connection, batch: bytes, *, now: datetime | None = None) -> Stored:
    """Store the new events of a JSON array, within the caller's transaction; creates missing partitions.

    Where the caller's transaction stores other events too, `make_partitions_for` all of them before it.
    """
    parameters = {"batch": jsonb(batch), "now": now}
    try:
        with conn.transaction():
            return _stored(conn, "store/store_events", parameters)
    except CheckViolation:
        _make_partitions(conn, batch, now)
        return _stored(conn, "store/store_events", parameters)


def settle_message(conn: Connection, message_id: str, *, now: datetime | None = None) -> None:
    """Record that a message is processed. Raises AlreadySettled."""
    with _settled_once():
        conn.execute(QUERIES["store/settle_message"], {"id": message_id, "now": now or datetime.now(UTC)})


def lock_sites(conn: Connection, sites: Iterable[str]) -> None:
    """Lock these sites until the end of the transaction. Lock several in one call, to avoid deadlocks."""
    conn.execute(QUERIES["store/lock_sites"], {"sites": list(set(sites))})


def make_partitions_for(conn: Connection, times: Iterable[datetime], *, now: datetime | None = None) -> None:
    """Create the partitions that events of these times need and that are missing, each in a transaction of its own.

    A time for which none may be made is left out: its event cannot be stored, and says why. Call it before a
    transaction that stores several events one after the other: Citus creates no partition in one that has stored any.
    """
    missing = conn.execute(QUERIES["store/missing_partitions"], {"times": list(set(times))}).fetchall()
    for (moment,) in missing:
        with suppress(CheckViolation), writing(conn), conn.transaction():
            _make_partitions(conn, msgspec.json.encode([{"timestamp": moment}]), now)


def make_partitions_ahead(conn: Connection, now: datetime | None = None) -> None:
    """Create the partitions of this week and the next two."""
    with writing(conn):
        conn.execute(QUERIES["store/make_partitions_ahead"], {"now": now})


def forget_settled_messages(conn: Connection, now: datetime | None = None) -> None:
    """Delete the ids of messages that were processed days before others.

    Measured against the last processed message, not the clock: after days without workers, older messages may be
    delivered again.
    """
    with writing(conn):
        (last_settled,) = conn.execute(QUERIES["store/last_settled"], {"now": now or datetime.now(UTC)}).fetchone() or (
            None,
        )
        if last_settled is not None:
            conn.execute(QUERIES["store/forget_settled_messages"], {"last_settled": last_settled})


def forget_event_ids(conn: Connection, now: datetime | None = None) -> None:
    """Delete the ids of events that arrived more than IDS_KEPT ago."""
    with writing(conn):
        conn.execute(QUERIES["store/forget_event_ids"], {"now": now or datetime.now(UTC), "days": IDS_KEPT.days})


def jsonb(text: bytes) -> Jsonb:
    """JSON text as a parameter, unchanged."""
    if b"\0" in text:  # the client library would silently truncate the text there
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
        # By the message text: when Citus copies rows to a node, it reports the node's error without its code, and the
        # name is followed by a shard's number.
        if "settled_messages_pkey" in (error.diag.message_primary or ""):
            raise AlreadySettled from None
        raise


def _joined(messages: Sequence[Message]) -> bytes:
    """One JSON array of all events. A single message stays unchanged, valid or not: PostgreSQL reports its errors."""
    if len(messages) == 1:
        return messages[0].events
    return json_array(events for message in messages if (events := message.events[1:-1]))


def json_array(events: Iterable[bytes | msgspec.Raw]) -> bytes:
    return b"[" + b",".join(map(bytes, events)) + b"]"
