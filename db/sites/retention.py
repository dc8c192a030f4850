"""Expiry of a site's events after its own `retention_days`: `delete_expired(conn, site_id, days=None)`.

`days` is RETENTION_DAYS, or None: only a site's shorter retention has an effect. As where partitions are dropped
(db/expiry.py), the expiry is announced first, and NOTICE later the events may be deleted, as far as the database proves
that they may be (SQL function delete_oldest_events). Their partition stays for other sites.
"""

import time
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from db.connections.pools import writing
from db.queries import QUERIES

#: Events deleted per transaction, which takes a second at most: writers of the site wait for it.
BATCH_EVENTS = 10_000


class SiteRetention(NamedTuple):
    """What a site's own retention does next."""

    site_id: str
    expired_until: datetime
    """Events before it are older than that many days."""
    days: int
    announced: bool
    """Whether their expiry was announced at least NOTICE ago."""
    rolled_up: bool
    """Whether the site's deferred rollups have all of them."""
    rolled_up_until: datetime | None
    """The lowest watermark of these rollups; None: they have no events yet."""
    events: int
    """How many are there still."""
    first_event: datetime | None
    last_event: datetime | None


class OlderEvents(NamedTuple):
    """The events of a site that a retention would delete."""

    events: int
    first_event: datetime | None
    last_event: datetime | None


class _Progress(NamedTuple):
    days: int
    announced: bool
    rolled_up: bool
    rolled_up_until: datetime | None
    events: int
    first_event: datetime | None
    last_event: datetime | None


def sites_with_retention(conn: Connection) -> list[str]:
    """The sites that have a retention of their own, or had one that is still announced."""
    return [site_id for (site_id,) in conn.execute(QUERIES["expiry/sites_with_retention"])]


def delete_expired(
    conn: Connection,
    site_id: str,
    *,
    days: int | None,
    now: datetime | None = None,
    most: int = BATCH_EVENTS,
    deadline: float | None = None,
) -> int:
    """Delete the site's events whose expiry was announced at least NOTICE ago, then announce what has expired since.

    Call it periodically. Returns how many events it deleted. Each transaction deletes about `most` events; wherever it
    is stopped, the next call goes on. deadline: by time.monotonic(), after which the rest is left to the next call.
    Raises LockNotAvailable if others hold the site for longer than two seconds.
    """
    values = {"site_id": site_id, "days": days, "now": now, "most": most}
    total, unfinished = 0, True
    while unfinished and not _is_over(deadline):
        with writing(conn):
            row = conn.execute(QUERIES["expiry/delete_oldest_events"], values).fetchone()
        deleted, _, unfinished = row or (None, None, False)
        total += deleted or 0
    gone = most
    while gone == most and not _is_over(deadline):
        with writing(conn):
            (gone,) = conn.execute(QUERIES["expiry/delete_months_of_site"], values).fetchone() or (0,)
    with writing(conn):
        conn.execute(QUERIES["expiry/forget_events_of_site"], values)
    return total


def site_plan(conn: Connection, *, days: int | None, now: datetime | None = None) -> list[SiteRetention]:
    """The sites whose own retention has an effect, and what it does next."""
    found = []
    for site_id in sites_with_retention(conn):
        values = {"site_id": site_id, "days": days, "now": now}
        (until,) = conn.execute(QUERIES["expiry/site_expires_until"], values).fetchone() or (None,)
        if until is None:
            continue
        with conn.cursor(row_factory=class_row(_Progress)) as cur:
            row = cur.execute(QUERIES["expiry/retention_of_site"], values | {"until": until}).fetchone()
        if row is not None:
            found.append(SiteRetention(site_id, until, *row))
    return found


def older_events(conn: Connection, site_id: str, *, days: int) -> OlderEvents:
    """What a retention of so many days would delete of a site now."""
    with conn.cursor(row_factory=class_row(OlderEvents)) as cur:
        values = {"site_id": site_id, "days": days}
        return cur.execute(QUERIES["expiry/older_events_of_site"], values).fetchone() or OlderEvents(0, None, None)


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline
