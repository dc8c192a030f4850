"""Recognise exports of aggregates: a row of them stands for many visits, and must not become one event."""

from collections.abc import Sequence
from typing import NamedTuple


class Export(NamedTuple):
    """The name of an export, and columns by which it is recognised."""

    name: str
    columns: frozenset[str]


EXPORTS = [
    Export("Plausible's imported_* files, by day", frozenset({"date", "visitors", "visits"})),
    Export("Plausible's imported_* files, by day", frozenset({"date", "visitors", "events"})),
    Export("Plausible's imported_* files, by day", frozenset({"date", "visitors", "pageviews"})),
    Export("Fathom's export, by hour", frozenset({"timestamp", "pageviews", "visits"})),
    Export("Fathom's export, by hour", frozenset({"timestamp", "views", "uniques"})),
    Export("Fathom's export, by hour", frozenset({"timestamp", "referrer hostname", "views", "visits"})),
    Export("Fathom's export, by hour", frozenset({"timestamp", "event name", "completions"})),
    Export("a report of Google Analytics", frozenset({"active users", "event count"})),
    Export("a report of Google Analytics", frozenset({"views", "active users"})),
    Export("a report of Google Analytics", frozenset({"total users", "sessions"})),
    Export("a report of Matomo's", frozenset({"nb_visits", "nb_actions"})),
    Export("a report of Matomo's", frozenset({"nb_visits", "nb_hits"})),
    Export("a report of Matomo's", frozenset({"unique visitors", "visits"})),
    Export("GoatCounter's statistics", frozenset({"hour", "path_id", "count"})),
    Export("GoatCounter's statistics", frozenset({"day", "path_id", "count"})),
]
#: Columns with counts over many people; a file with two of them does not hold events.
COUNTS = {
    "visitors", "unique_visitors", "unique visitors", "uniques", "visits", "pageviews", "page_views", "page views",
    "views", "sessions", "users", "new_users", "new users", "active users", "total users", "bounces", "bounce_rate",
    "bounce rate", "avg duration", "visit_duration", "nb_visits", "nb_uniq_visitors", "nb_actions", "nb_hits",
}  # fmt: skip


def sums_in(columns: Sequence[str], *, by_person: bool) -> str | None:
    """What a file with these columns holds, if it holds aggregates; `by_person`: whether its rows name a user."""
    there = {column.strip().lower() for column in columns}
    if by_person:
        return None
    if columns and columns[0].startswith("# ---"):
        return "a report of Google Analytics"
    for export in EXPORTS:
        if export.columns <= there:
            return export.name
    if len(counts := sorted(COUNTS & there)) > 1:
        return f"it has the columns {' and '.join(counts)}"
    return None
