"""Expiry of events after RETENTION_DAYS: `drop_old_events(conn, days=365)`; `plan(conn, days=365)` shows it beforehand.

A partition expires in two steps: its expiry is announced, and NOTICE later it may be dropped. Nothing is dropped unless
the database proves that it may be (SQL function drop_oldest_partition). Rollups keep their counts, except user_months,
which has the events of each user and expires with them, by whole months.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

from psycopg import Connection
from psycopg.rows import class_row

from db.connections.pools import writing
from db.queries import QUERIES

#: The time between the announcement of an expiry and the drop.
NOTICE = timedelta(minutes=5)


class Announcement(NamedTuple):
    """The announced expiry, and the current time."""

    present: datetime
    older_than: datetime
    """Partitions that end by then are due to expire."""
    events_from: datetime | None
    """Events before it are announced as expired; None: nothing is announced."""
    said_at: datetime | None
    """When it was announced."""


class LaggingSite(NamedTuple):
    """A site whose deferred rollups lag behind."""

    site_id: str
    rolled_up_until: datetime | None
    """The lowest watermark of these rollups; None: they have no events yet."""


class Contents(NamedTuple):
    """The events of a time range, as counts."""

    events: int
    sites: int
    first_event: datetime | None
    last_event: datetime | None


class Partition(NamedTuple):
    """A partition that is due to expire."""

    name: str
    starts: datetime
    ends: datetime
    contents: Contents
    announced: bool
    """Whether its expiry was announced at least NOTICE ago."""
    lagging: Sequence[LaggingSite]
    """The sites that still need it, those with the lowest watermark first."""
    no_site: bool
    """Whether it has events although there is no site."""

    @property
    def blocked(self) -> bool:
        """Whether it may not be dropped, even if announced."""
        return bool(self.lagging) or self.no_site


def drop_old_events(conn: Connection, *, days: int, now: datetime | None = None) -> list[str]:
    """Drop partitions announced as expired at least five minutes ago, then announce those that have expired since.

    Call it periodically. Returns the names of the dropped partitions. Events less than `days` days old stay, even if
    they were announced. Each partition is one transaction, which blocks writers and reports for two seconds at most:
    raises LockNotAvailable if a longer report or transaction holds the partition.
    """
    parameters = {"days": days, "now": now}
    dropped = []
    while name := _dropped(conn, parameters):
        dropped.append(name)
    with writing(conn):
        conn.execute(QUERIES["expiry/forget_user_months"])
    with writing(conn):
        conn.execute(QUERIES["expiry/forget_events"], parameters)
    return dropped


def plan(conn: Connection, *, days: int, now: datetime | None = None) -> list[Partition]:
    """The partitions older than this many days, the oldest first, and whether each can be dropped now."""
    announcement = _announcement(conn, days, now)
    partitions: list[Partition] = []
    no_site = False  # once true, true for all later ones: the oldest is dropped first
    for name, starts, ends in _old_partitions(conn, announcement.older_than):
        contents = events_between(conn, starts, ends)
        lagging = lagging_sites(conn, ends)
        no_site = no_site or (contents.events > 0 and not lagging and not _any_site(conn))
        announced = _is_announced(announcement, ends)
        partitions.append(Partition(name, starts, ends, contents, announced, lagging, no_site))
    return partitions


def blocking_sites(conn: Connection, *, days: int, now: datetime | None = None) -> list[LaggingSite]:
    """The sites that block the drop of the next partition, those with the lowest watermark first."""
    announcement = _announcement(conn, days, now)
    partitions = _old_partitions(conn, announcement.older_than)
    due = [ends for _, _, ends in partitions if _is_announced(announcement, ends)]
    return lagging_sites(conn, due[0]) if due else []


def announced(conn: Connection) -> tuple[datetime, Contents] | None:
    """Before which moment events are announced as expired, and those that are there still; None: there are none."""
    events_from = _announcement(conn, 1, None).events_from
    there = events_between(conn, datetime.min.replace(tzinfo=UTC), events_from) if events_from else None
    return (events_from, there) if events_from and there and there.events else None


def describe_lagging(sites: Sequence[LaggingSite]) -> str:
    """Lagging sites in a few words: "of 'shop' (they end at 2026-01-02 03:04 UTC) and 3 other sites"."""
    first, *others = sites
    until = f"{first.rolled_up_until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if first.rolled_up_until else None
    more = f" and {len(others):,} other site{'s' * (len(others) > 1)}" if others else ""
    return f"of {first.site_id!r} ({f'they end at {until}' if until else 'there are none'}){more}"


def events_between(conn: Connection, starts: datetime, ends: datetime) -> Contents:
    """Counts of the events of a time range, half-open."""
    with conn.cursor(row_factory=class_row(Contents)) as cur:
        found = cur.execute(QUERIES["expiry/events_between"], {"starts": starts, "ends": ends}).fetchone()
    return found or Contents(0, 0, None, None)


def lagging_sites(conn: Connection, moment: datetime) -> list[LaggingSite]:
    """The sites whose deferred rollups do not have all events before a moment."""
    with conn.cursor(row_factory=class_row(LaggingSite)) as cur:
        return cur.execute(QUERIES["expiry/sites_behind"], {"moment": moment}).fetchall()


def _announcement(conn: Connection, days: int, now: datetime | None) -> Announcement:
    with conn.cursor(row_factory=class_row(Announcement)) as cur:
        return cast("Announcement", cur.execute(QUERIES["expiry/kept"], {"days": days, "now": now}).fetchone())


def _is_announced(announcement: Announcement, ends: datetime) -> bool:
    if announcement.events_from is None or announcement.said_at is None:
        return False
    return ends <= announcement.events_from and announcement.said_at <= announcement.present - NOTICE


def _old_partitions(conn: Connection, moment: datetime) -> list[tuple[str, datetime, datetime]]:
    return conn.execute(QUERIES["expiry/old_partitions"], {"moment": moment}).fetchall()


def _any_site(conn: Connection) -> bool:
    return conn.execute(QUERIES["rollups/sites"]).fetchone() is not None


def _dropped(conn: Connection, parameters: dict[str, Any]) -> str | None:
    with writing(conn):
        (name,) = conn.execute(QUERIES["expiry/drop_oldest_partition"], parameters).fetchone() or (None,)
    return cast("str | None", name)
