"""Recounts: where the rollups differ from the events, and correcting them.

Each comparison is one statement and so sees one snapshot, while events continue to be stored. Days are in the site's
timezone, the first and the last included. Days that begin before `sites.events_from` are always left out: their events
have expired.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import class_row

from db.connections.pools import reading, writing
from db.queries import QUERIES

#: The queries that compare days of a site, each with the table that it checks.
CHECKS_OF_DAYS = {
    "rollups/different_event_hours": "event_hours",
    "rollups/different_path_days": "path_days",
    "rollups/different_path_spans": "path_spans",
    "rollups/different_user_days": "user_days",
    "rollups/different_top_paths": "top_paths",
    "rollups/different_user_spans": "user_spans",
    "rollups/different_user_months": "user_months",
    "rollups/different_sessions": "sessions",
    "rollups/different_session_days": "session_days",
    "rollups/different_session_page_days": "session_page_days",
    "rollups/different_sale_days": "sale_days",
    "rollups/different_product_days": "product_days",
    "rollups/different_counted_orders": "counted_orders",
    "rollups/unnumbered_users": "users",
}
#: The deferred rollups that are rebuilt by themselves; sessions are rebuilt with their days.
DEFERRED = ("path_spans", "top_paths", "user_spans", "user_months")
#: The queries that check a site as a whole, each with its table.
CHECKS_OF_SITE = {
    "rollups/idle_users": "users",
    "rollups/user_numbers": "users",
    "rollups/user_counter": "sites",
    "rollups/different_orders": "orders",
    "rollups/different_path_totals": "path_totals",
    "rollups/different_event_totals": "event_totals",
}


class Difference(msgspec.Struct, frozen=True):
    """A row of a rollup that differs from the events; null: no such row."""

    site_id: str
    rollup: str
    key: dict[str, Any]
    rollup_says: int | None
    events_say: int | None


class CheckResult(NamedTuple):
    """The result of a comparison: the number of differences, and the first of them."""

    total: int
    differences: list[Difference]


class Span(NamedTuple):
    """The days that can be compared (null: none), and the first one without expired events (null: all)."""

    first: date | None
    last: date | None
    first_kept: date | None


class EventsLost(Exception):
    """Events in rollups are in no partition any more: a rebuild would subtract them."""

    def __init__(self, site_id: str, lost: "_Lost") -> None:
        first, last = (f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" for moment in (lost.first_hour, lost.last_hour))
        super().__init__(
            f"{site_id}: rollups have {lost.events:,} events of {lost.hours:,} hours from {first} to {last} UTC that"
            " are in no partition of events; a rebuild would subtract them. Restore that partition, or declare these"
            " events as expired, which keeps their counts:"
            " psql \"$DATABASE_URL\" -c 'select note_lost_events()'"
        )


class _Lost(NamedTuple):
    hours: int
    events: int
    first_hour: datetime
    last_hour: datetime


class _Row(NamedTuple):
    key: dict[str, Any]
    says: int | None
    should: int | None
    differences: int


def site_ids(conn: Connection) -> list[str]:
    """All sites."""
    return [site_id for (site_id,) in conn.execute(QUERIES["rollups/sites"])]


def span(conn: Connection, site_id: str, *, from_day: date | None, to_day: date | None) -> Span | None:
    """The days to compare, from from_day to to_day if they are given; None if there is no such site."""
    with conn.cursor(row_factory=class_row(Span)) as cur:
        values = {"site_id": site_id, "from_day": from_day, "to_day": to_day}
        return cur.execute(QUERIES["rollups/span"], values).fetchone()


def compare_days(
    conn: Connection, site_id: str, *, first_day: date, last_day: date, most: int
) -> Iterator[CheckResult]:
    """The differences on these days, one result per check, each with at most `most` differences."""
    for name, rollup in CHECKS_OF_DAYS.items():
        values = {"site_id": site_id, "first_day": first_day, "last_day": last_day, "most": most}
        yield _compare(conn, name, rollup, values)


def compare_site(conn: Connection, site_id: str, *, most: int) -> Iterator[CheckResult]:
    """The differences of a site's users, orders and totals, one result per check, each with at most `most` of them."""
    for name, rollup in CHECKS_OF_SITE.items():
        yield _compare(conn, name, rollup, {"site_id": site_id, "most": most})


def rebuild_users(conn: Connection, site_id: str, *, renumber: bool) -> int:
    """Correct the counter of users, in one transaction; returns how many rows were wrong.

    With `renumber`, some users may lose their numbers; they get new ones when all days are rebuilt afterwards. Raises
    EventsLost.
    """
    return _corrected(conn, "rollups/rebuild_users", {"site_id": site_id, "renumber": renumber})


def rebuild_orders(conn: Connection, site_id: str) -> int:
    """Correct which event of each order counts, in one transaction; returns how many were wrong.

    The days on which these orders are counted have to be rebuilt afterwards. Raises EventsLost.
    """
    return _corrected(conn, "rollups/rebuild_orders", {"site_id": site_id})


def rebuild_days(conn: Connection, site_id: str, *, first_day: date, last_day: date) -> int:
    """Correct these days' rollups from the events, in one transaction; returns how many rows were wrong.

    Writers of the site wait meanwhile. Rollups that are made from these are not corrected: rebuild_deferred and
    rebuild_totals have to follow. Raises EventsLost.
    """
    values = {"site_id": site_id, "first_day": first_day, "last_day": last_day}
    return _corrected(conn, "rollups/rebuild_days", values)


def rebuild_deferred(conn: Connection, site_id: str, *, first_day: date, last_day: date) -> int:
    """Correct the deferred rollups for these days, each in one transaction; returns how many rows were wrong.

    All but sessions: user_months from the events, the others from the rollups by day. Raises EventsLost.
    """
    values = {"site_id": site_id, "first_day": first_day, "last_day": last_day}
    return sum(_corrected(conn, f"rollups/rebuild_{rollup}", values) for rollup in DEFERRED)


def rebuild_totals(conn: Connection, site_id: str) -> int:
    """Correct a site's totals from path_days and event_hours, in one transaction; returns how many were wrong."""
    return _corrected(conn, "rollups/rebuild_totals", {"site_id": site_id})


def _compare(conn: Connection, name: str, rollup: str, values: dict[str, object]) -> CheckResult:
    with reading(conn), conn.cursor(row_factory=class_row(_Row)) as cur:
        rows = cur.execute(QUERIES[name], values).fetchall()
    differences = [Difference(str(values["site_id"]), rollup, row.key, row.says, row.should) for row in rows]
    return CheckResult(rows[0].differences if rows else 0, differences)


def _corrected(conn: Connection, name: str, values: dict[str, object]) -> int:
    """Rebuild, after checking in the same transaction that no events are lost."""
    with writing(conn):
        _refuse_lost_events(conn, values)
        (corrected,) = conn.execute(QUERIES[name], values).fetchone() or (0,)
    return int(corrected)


def _refuse_lost_events(conn: Connection, values: dict[str, object]) -> None:
    site_id = str(values["site_id"])
    days = {"first_day": values.get("first_day"), "last_day": values.get("last_day")}
    lost = conn.execute(QUERIES["rollups/lost_hours"], {"site_id": site_id} | days).fetchone()
    if lost is not None and lost[0]:
        raise EventsLost(site_id, _Lost(*lost))
