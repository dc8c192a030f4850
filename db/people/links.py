"""Links of visitors to users: they end with the last event that is kept (`forget_links`), and ids that were sent as
users' before there were visitors become visitors' (`adopt_visitors`).
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, cast

from psycopg import Connection

from db.connections.pools import writing
from db.queries import QUERIES

#: Links that are looked at in one transaction; writers of the site wait for it only if one of them ends.
BATCH_LINKS = 1_000
#: Ids that become visitors' in one transaction.
BATCH_ADOPTED = 200


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


class Adopted(NamedTuple):
    """What became of ids that were sent as users'."""

    events: int
    visitors: int
    linked: int
    """How many of the visitors are users' now."""


def visitors_existed_at(conn: Connection) -> datetime:
    """When this database learned of visitors."""
    (moment,) = conn.execute(QUERIES["people/visitors_existed_at"]).fetchone() or (None,)
    return cast("datetime", moment)


def sent_as_users(conn: Connection, site_id: str, *, before: datetime) -> list[tuple[str, str | None]]:
    """The visitors of a site that were sent as users before a moment, not since, and as whom each was identified."""
    return conn.execute(QUERIES["people/sent_as_users"], {"site_id": site_id, "before": before}).fetchall()


def adopt_visitors(
    conn: Connection, site_id: str, found: Sequence[tuple[str, str | None]], *, before: datetime, now: datetime
) -> Adopted:
    """Take ids for visitors' that were sent as users' (`sent_as_users`), with all that was counted for them.

    Nothing that is stored tells a visitor's id from a user's: only who sent them knows. Some at a time, each in a
    transaction, which writers of the site wait for; stopped, it goes on when it is called again.
    """
    total = Adopted(0, 0, 0)
    for start in range(0, len(found), BATCH_ADOPTED):
        ids, people = zip(*found[start : start + BATCH_ADOPTED], strict=True)
        values = {"site_id": site_id, "ids": list(ids), "people": list(people), "before": before, "now": now}
        with writing(conn):
            row = conn.execute(QUERIES["people/adopt_visitors"], values).fetchone()
        total = Adopted(*(sum(pair) for pair in zip(total, row or (0, 0, 0), strict=True)))
    return total
