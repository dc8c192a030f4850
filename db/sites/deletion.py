"""Deleting a site: `delete_site(conn, "shop")`, in one transaction; `contents(conn, "shop")` shows what it has.

The counts of the ledger stay: Redis keeps its counts of accepted events, and the two have to balance.
"""

from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from db.access import audit
from db.connections.errors import is_transient
from db.connections.pools import writing
from db.queries import QUERIES

#: Attempts: a replay of the site's dead letters may cause a deadlock, and ends soon.
TRIES = 5


class NoSuchSite(Exception):
    """There is no site of this name."""


class Contents(NamedTuple):
    """The data of a site."""

    events: int
    first_event: datetime | None
    last_event: datetime | None
    users: int
    orders: int
    days: int
    """Days with rollups."""
    counted: int
    """Events counted in rollups, including expired ones."""
    dead_letters: int


class _OfTheSite(NamedTuple):
    events: int
    first_event: datetime | None
    last_event: datetime | None
    users: int
    orders: int
    days: int
    counted: int


def contents(conn: Connection, site_id: str) -> Contents:
    """The data of a site, as counts. Raises NoSuchSite."""
    with conn.cursor(row_factory=class_row(_OfTheSite)) as cur:
        found = cur.execute(QUERIES["expiry/site_contents"], {"site_id": site_id}).fetchone()
    if found is None:
        raise NoSuchSite(site_id)
    (letters,) = conn.execute(QUERIES["expiry/site_letters"], {"site_id": site_id}).fetchone() or (0,)
    return Contents(*found, dead_letters=letters)


def delete_site(conn: Connection, site_id: str, *, by: str) -> dict[str, int]:
    """Delete all data of a site; returns how many rows of which tables. Raises NoSuchSite.

    Writers of the site wait meanwhile. `by`: who does it, for the audit.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with writing(conn):
                deleted = conn.execute(QUERIES["expiry/delete_site"], {"site_id": site_id}).fetchall()
                if deleted:
                    rows = sum(count for _, count in deleted)
                    audit.note_on(conn, by, "site.delete", {"site": site_id, "rows": rows})
            break
        except Exception as error:
            if attempt == TRIES or not is_transient(error):
                raise
    if not deleted:
        raise NoSuchSite(site_id)
    return dict(deleted)
