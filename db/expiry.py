"""Keeping events for some days only: `drop_old_events(conn, days=365)`. Rollups keep their numbers.

All but user_months, which has what each user did, and goes with the events by whole months. Nothing is dropped unless
the database can prove that it may be (drop_oldest_partition): `plan(conn, days=365)` tells beforehand.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

from psycopg import Connection
from psycopg.rows import class_row

from db.connections.pools import writing
from db.queries import QUERIES

#: After it was said that events are no longer kept, so long nothing is dropped.
NOTICE = timedelta(minutes=5)


class Kept(NamedTuple):
    """What was said, seen from the present."""

    present: datetime
    older_than: datetime
    """What ends by then is older than events are kept."""
    events_from: datetime | None
    """Before it events are said to be no longer kept; None: nothing was said."""
    said_at: datetime | None


class Behind(NamedTuple):
    """A site that lacks events in the rollups that are written later."""

    site_id: str
    rolled_up_until: datetime | None
    """Before it it has all of them; None: none yet."""


class Contents(NamedTuple):
    """The events of some time."""

    events: int
    sites: int
    first_event: datetime | None
    last_event: datetime | None


class Partition(NamedTuple):
    """A partition that is older than events are kept."""

    name: str
    starts: datetime
    ends: datetime
    contents: Contents
    said: bool
    """Whether it was said long enough ago that its events are no longer kept."""
    behind: Sequence[Behind]
    """The sites that need it still, with those that have least of all in front."""
    no_site: bool
    """Whether it has events though there is no site."""

    @property
    def held_up(self) -> bool:
        """Whether it has to stay, however long ago it was said."""
        return bool(self.behind) or self.no_site


def drop_old_events(conn: Connection, *, days: int, now: datetime | None = None) -> list[str]:
    """Drop the partitions that were said to be no longer kept, then say it of those that are older than that now.

    Answers the names of those dropped. Between the two lie five minutes at least: call it again. Events that are less
    than `days` days old stay, whatever was said. One partition is one transaction, which holds up writers and reports
    for two seconds at most: raises LockNotAvailable where that is not enough, as while somebody reads for longer.
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
    """The partitions that are older than so many days, the oldest first: those that go at once, soon, or not yet."""
    kept = _kept(conn, days, now)
    partitions: list[Partition] = []
    no_site = False  # the oldest goes first, or none
    for name, starts, ends in _old_partitions(conn, kept.older_than):
        contents = events_between(conn, starts, ends)
        behind = sites_behind(conn, ends)
        no_site = no_site or (contents.events > 0 and not behind and not _any_site(conn))
        partitions.append(Partition(name, starts, ends, contents, _said(kept, ends), behind, no_site))
    return partitions


def held_up(conn: Connection, *, days: int, now: datetime | None = None) -> list[Behind]:
    """The sites for which events stay that could be dropped by now; those that have least in their rollups in front."""
    kept = _kept(conn, days, now)
    due = [ends for _, _, ends in _old_partitions(conn, kept.older_than) if _said(kept, ends)]
    return sites_behind(conn, due[0]) if due else []


def told(behind: Sequence[Behind]) -> str:
    """Sites that are behind, in a few words: "of 'shop' (they end at 2026-01-02 03:04 UTC) and 3 other sites"."""
    first, *others = behind
    until = f"{first.rolled_up_until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if first.rolled_up_until else None
    more = f" and {len(others):,} other site{'s' * (len(others) > 1)}" if others else ""
    return f"of {first.site_id!r} ({f'they end at {until}' if until else 'there are none'}){more}"


def events_between(conn: Connection, starts: datetime, ends: datetime) -> Contents:
    """The events of a time, half-open."""
    with conn.cursor(row_factory=class_row(Contents)) as cur:
        found = cur.execute(QUERIES["expiry/events_between"], {"starts": starts, "ends": ends}).fetchone()
    return found or Contents(0, 0, None, None)


def sites_behind(conn: Connection, moment: datetime) -> list[Behind]:
    """The sites that do not have all events before a moment in all rollups."""
    with conn.cursor(row_factory=class_row(Behind)) as cur:
        return cur.execute(QUERIES["expiry/sites_behind"], {"moment": moment}).fetchall()


def _kept(conn: Connection, days: int, now: datetime | None) -> Kept:
    with conn.cursor(row_factory=class_row(Kept)) as cur:
        return cast("Kept", cur.execute(QUERIES["expiry/kept"], {"days": days, "now": now}).fetchone())


def _said(kept: Kept, ends: datetime) -> bool:
    if kept.events_from is None or kept.said_at is None:
        return False
    return ends <= kept.events_from and kept.said_at <= kept.present - NOTICE


def _old_partitions(conn: Connection, moment: datetime) -> list[tuple[str, datetime, datetime]]:
    return conn.execute(QUERIES["expiry/old_partitions"], {"moment": moment}).fetchall()


def _any_site(conn: Connection) -> bool:
    return conn.execute(QUERIES["rollups/sites"]).fetchone() is not None


def _dropped(conn: Connection, parameters: dict[str, Any]) -> str | None:
    with writing(conn):
        (name,) = conn.execute(QUERIES["expiry/drop_oldest_partition"], parameters).fetchone() or (None,)
    return cast("str | None", name)
