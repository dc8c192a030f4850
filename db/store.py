"""Storing events: `store_events(conn, batch)`, where a batch is a JSON array of events as the queue carries them."""

from typing import NamedTuple

from psycopg import Connection, DataError
from psycopg.errors import CheckViolation
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.queries import QUERIES


class Stored(NamedTuple):
    """What one flush did."""

    received: int
    """How many events the batch held."""
    stored: int
    """How many of them were new."""


def store_events(conn: Connection, batch: bytes) -> Stored:
    """Store the events that are new, with all rollups, in one transaction; makes a partition that they lack.

    Raises psycopg's errors; `db.failures` says what they mean.
    """
    try:
        return _store(conn, batch)
    except CheckViolation:  # no partition for some event: they are made in a transaction of their own
        conn.execute(QUERIES["store/make_partitions"], {"batch": _jsonb(batch)})
        return _store(conn, batch)


def make_partitions_ahead(conn: Connection) -> None:
    """Make the partitions of this week and the next two."""
    conn.execute(QUERIES["store/make_partitions_ahead"])


def _store(conn: Connection, batch: bytes) -> Stored:
    with conn.cursor(row_factory=class_row(Stored)) as cur:
        return cur.execute(QUERIES["store/store_events"], {"batch": _jsonb(batch)}).fetchone() or Stored(0, 0)


def _jsonb(batch: bytes) -> Jsonb:
    if b"\0" in batch:  # the client library would cut it there, and what follows would be lost without a word
        raise DataError("a batch holds a NUL byte")
    return Jsonb(batch, dumps=bytes)
