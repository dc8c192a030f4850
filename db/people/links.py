"""Links of visitors to users end with the last event that is kept: `forget_links(conn, site_id)`."""

import time
from typing import NamedTuple

from psycopg import Connection

from db.connections.pools import writing
from db.queries import QUERIES

#: Links that are looked at in one transaction; writers of the site wait for it only if one of them ends.
BATCH_LINKS = 1_000


class Progress(NamedTuple):
    """How far the links of a site were looked at."""

    deleted: int
    after: str | None
    """The visitor after whom it goes on; None: it is done."""


def sites_with_links(conn: Connection) -> list[str]:
    """The sites whose links may end: they have some, and events that have expired."""
    return [site_id for (site_id,) in conn.execute(QUERIES["expiry/sites_with_links"])]


def forget_links(
    conn: Connection, site_id: str, *, after: str = "", deadline: float | None = None, most: int = BATCH_LINKS
) -> Progress:
    """Delete the links of a site's visitors of whom no event is kept that counts for the user, in order of visitors.

    No report changes by it: a visitor who comes back is linked again by the next event that names the user.
    deadline: by time.monotonic(). Raises LockNotAvailable if others hold the site for longer than two seconds.
    """
    total, last = 0, after or None
    while True:
        with writing(conn):
            values = {"site_id": site_id, "after": last or "", "most": most}
            deleted, last = conn.execute(QUERIES["expiry/forget_links"], values).fetchone() or (0, None)
        total += deleted
        if last is None or (deadline is not None and time.monotonic() > deadline):
            return Progress(total, last)
