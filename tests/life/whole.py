"""A whole site verified and rebuilt, as `tjra verify` and `tjra rebuild` do it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from psycopg import Connection

from apps.commands import rebuild as rebuilding
from apps.commands.shared.rollup_days import months
from db.rollups import recount


def differences(conn: Connection[Any], site: str) -> Iterator[recount.Difference]:
    """What `tjra verify` finds."""
    for first, last in months(*_days(conn, site)):
        for found in recount.compare_days(conn, site, first_day=first, last_day=last, most=5):
            yield from found.differences
    for found in recount.compare_site(conn, site, most=5):
        yield from found.differences


def rebuild(conn: Connection[Any], site: str) -> int:
    """What `tjra rebuild` does; how many rows were not right."""
    return rebuilding.rebuild(conn, site, from_day=None, to_day=None)


def _days(conn: Connection[Any], site: str) -> tuple[date, date]:
    span = recount.span(conn, site, from_day=None, to_day=None)
    if span is None or span.first is None or span.last is None:
        return date.max, date.min
    return max(span.first, span.first_kept or span.first), span.last
