"""Replaying and discarding dead letters. Both are idempotent."""

from collections.abc import Sequence
from datetime import datetime

import psycopg
from psycopg import Connection
from psycopg.rows import dict_row

from db.connections.errors import is_data_error
from db.connections.pools import writing
from db.people.letters import ERASED
from db.queries import QUERIES
from db.store.dead_letters import Failure, site_of, time_of
from db.store.events import jsonb, lock_sites, make_partitions_for, store_events
from db.store.whole_or_apart import failure_of


def replay(
    conn: Connection, letter_id: str, *, request: str, event: bytes | None = None, now: datetime | None = None
) -> None:
    """Store the event of a dead letter, or `event` instead of it, in one transaction.

    The letter's state becomes `stored`, or `duplicate` if the event was stored before, or stays `dead` with the new
    error. A letter that is not dead or discarded stays unchanged. `request` (a UUID) is recorded on it. `now`: the
    current time, instead of the database's clock. Missing partitions are created in a transaction before that.
    """
    if moment := time_of(_payload(conn, letter_id) if event is None else event):
        make_partitions_for(conn, [moment], now=now)
    with writing(conn):
        row = conn.execute(QUERIES["dead_letters/claim"], {"id": letter_id}).fetchone()
        if row is None:
            return
        state, site_id, payload = row
        if state not in ("dead", "discarded"):
            conn.execute(QUERIES["dead_letters/note_request"], {"id": letter_id, "request": request})
            return
        event = bytes(payload) if event is None else event
        if event == ERASED:
            failure = Failure("its person is erased")
            conn.execute(QUERIES["dead_letters/fail_again"], {"id": letter_id, "request": request} | failure._asdict())
            return
        lock_sites(conn, filter(None, (site_id, site_of(event))))
        batch = b"[" + event + b"]"
        try:
            with conn.transaction():
                state = "stored" if store_events(conn, batch, now=now).stored else "duplicate"
                parameters = {"id": letter_id, "state": state, "request": request, "batch": jsonb(batch)}
                conn.execute(QUERIES["dead_letters/settle"], parameters)
        except psycopg.Error as error:
            if not is_data_error(error):
                raise
            conn.execute(
                QUERIES["dead_letters/fail_again"],
                {"id": letter_id, "request": request} | failure_of(error)._asdict(),
            )


def discard(conn: Connection, letter_ids: Sequence[str], *, request: str) -> None:
    """Discard dead letters; those that are stored stay unchanged. `request` (a UUID) is recorded on each."""
    with writing(conn):
        conn.execute(QUERIES["dead_letters/discard"], {"ids": list(letter_ids), "request": request})


def _payload(conn: Connection, letter_id: str) -> bytes:
    """The event of a dead letter; empty if there is no such letter."""
    with conn.cursor(row_factory=dict_row) as cur:
        letter = cur.execute(QUERIES["dead_letters/show"], {"id": letter_id}).fetchone()
    return bytes(letter["payload"]) if letter else b""
