"""Erasing a person: `erase(conn, site_id, erasure_id)`, one transaction, after which nothing names them.

Their number, and with it every count, stays; a random pseudonym takes the place of the id. A worker that is killed
meanwhile has changed nothing, and whoever does it again finishes it.
"""

from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from db.connections.pools import writing
from db.people.identity import keys_of, visitor_hash_of
from db.people.letters import erase_letters
from db.queries import QUERIES

#: How long events that were accepted before an erasure are caught: Redis may hold them as long as an outage lasts.
HOLD = timedelta(days=30)
#: The tables that an erasure changes, and whose old rows a vacuum removes.
TABLES = (
    "events", "users", "visitors", "sessions", "session_page_days", "user_months", "orders", "path_days", "path_spans",
    "path_totals", "top_paths", "counted_orders", "agents", "origins", "dead_letters", "erasures",
)  # fmt: skip


def erase(conn: Connection, site_id: str, erasure_id: UUID | str, *, now: datetime | None = None) -> None:
    """Erase whom an erasure is about, unless that is done. `now`: the current time instead of the database's clock."""
    key = {"site_id": site_id, "erasure_id": erasure_id}
    with writing(conn):
        begun_at = now or _moment(conn)
        row = conn.execute(QUERIES["people/claim"], key).fetchone()
        if row is None:
            return
        user_id, person, before = row
        # A visitor of theirs was found in the queue: the pseudonym stays, or they would be counted twice.
        held = conn.execute(QUERIES["people/held"], {"site_id": site_id, "user_id": user_id}).fetchone()
        pseudonym = user_id if held else f"erased-{uuid4()}"
        parameters = {"site_id": site_id, "user_id": user_id, "pseudonym": pseudonym}
        erased, visitors = conn.execute(QUERIES["people/erase"], parameters).fetchone() or (None, None)
        erased = dict(erased or {})
        visitors = visitors or []
        erased["dead_letters"] = erase_letters(conn, site_id, user_id, visitors, pseudonym)
        if held:  # it went over the same rows again
            erased = {name: max(erased.get(name, 0), before.get(name, 0)) for name in erased | before}
        # What is accepted until now, and not yet stored, finds the site locked and then this.
        done_at = now or _moment(conn)
        erased_at, ends_at = held or (done_at, done_at + HOLD)
        people = set() if held else {person}
        if visitors:
            site_key = keys_of(conn, {site_id})[site_id]
            people |= {visitor_hash_of(site_key, visitor) for visitor in visitors}
        hold = key | {"pseudonym": pseudonym, "erased_at": erased_at, "ends_at": ends_at}
        for one in sorted(people):
            conn.execute(QUERIES["people/hold"], hold | {"person": one})
        times = {"begun_at": begun_at, "done_at": done_at, "holds_until": ends_at}
        conn.execute(QUERIES["people/finish"], key | times | {"erased": Jsonb(erased)})


def vacuum(conn: Connection, site_id: str, erasure_id: UUID | str) -> None:
    """Have PostgreSQL remove the old rows, also from the indexes; no transaction may be open."""
    for table in TABLES:
        conn.execute(f"vacuum (index_cleanup on) {table}".encode())
    parameters = {"site_id": site_id, "erasure_id": erasure_id, "now": datetime.now(UTC)}
    conn.execute(QUERIES["people/note_vacuum"], parameters)


def is_refused(error: Exception) -> bool:
    """Whether PostgreSQL does not let us vacuum."""
    return isinstance(error, (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported))


def _moment(conn: Connection) -> datetime:
    (moment,) = conn.execute(QUERIES["people/moment"]).fetchone() or (None,)
    return cast("datetime", moment).astimezone(UTC)
