"""What all reports have in common."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from db.events.errors import BadParameter
from db.events.event import SiteId
from db.queries import QUERIES
from db.reports.shared.filters import VISITS, Filters
from db.reports.shared.ranges import Comparison, Range, resolve

Source = Literal["rollups", "events"]

#: The queries of sql/reports that read the events themselves, or by a function.
FROM_EVENTS = {
    path.removeprefix("reports/")
    for path, text in QUERIES.items()
    if path.startswith("reports/")
    and re.search(rb"\b(from|join) (events|journeys_of_half|sessions_in|counted_sales|product_actions)\b", text)
}

#: Queries of rollups that read the newest events as well, which the rollup does not have yet.
WITH_NEWEST_EVENTS = {"funnel_from_rollup", "timeseries_users_by_sessions"}
#: Those that may take long: what they read grows with the events or users of the range.
LONG = FROM_EVENTS | {
    path.removeprefix("reports/")
    for path in QUERIES
    if path.startswith(tuple(f"reports/{name}_" for name in ("funnel", "journeys", "retention", "sessions", "visits")))
}


class Report(msgspec.Struct, kw_only=True):
    """What a report says of itself."""

    site_id: SiteId
    start: Annotated[datetime, Meta(description="The range begins here.")] = msgspec.field(name="from")
    end: Annotated[datetime, Meta(description="The range ends before this.")] = msgspec.field(name="to")
    timezone: Annotated[str, Meta(description="The timezone that days are meant in.", examples=["Europe/Berlin"])]
    source: Annotated[
        Source, Meta(description="`rollups`: from sums kept by hour or day; `events`: counted from the events now.")
    ]
    as_of: Annotated[datetime, Meta(description="Everything stored until then is in the report.")]


class ComparedRange(msgspec.Struct, kw_only=True):
    """The range that a report is compared with."""

    start: Annotated[datetime, Meta(description="It begins here.")] = msgspec.field(name="from")
    end: Annotated[
        datetime,
        Meta(description="It ends before this; of a range that is not over, at the same time of day as now."),
    ] = msgspec.field(name="to")


class ComparedReport(Report, kw_only=True, omit_defaults=True):
    """A report that may be compared with another range."""

    compared_with: Annotated[ComparedRange | None, Meta(description="With `compare`: the range compared with.")] = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is requested of one site: a range of time, and what events have to match."""

    site_id: str
    range: Range
    filters: Filters
    now: datetime
    """The present, for which a range may not be over and a rollup may be behind."""
    as_of: datetime
    """The moment that all queries of the report see."""
    comparison: Comparison | None = None
    """Which range to compare with, if any."""
    begins_by: str = "from"
    """The parameter that says where the range begins."""
    may_take_long: Callable[[], bool] = lambda: True
    """Called before each query of LONG; if it says no, TakesLong is raised."""

    def parameters(self) -> dict[str, Any]:
        """The named parameters that every query about it may use."""
        return {
            "site_id": self.site_id,
            "start": self.range.start,
            "end": self.range.end,
            "first_day": self.range.first_day,
            "end_day": self.range.end_day,
            "timezone": self.range.timezone,
            "filters": self.filters.parameter(),
            "visits": self.filters.visit_parameter(),
            "users": self.filters.users,
            "now": self.now,
        }

    def head(self, source: Source, other: "Question | None" = None) -> dict[str, Any]:
        """The fields that every Report begins with. other: the question about the range to compare with."""
        fields = {
            "site_id": self.site_id,
            "start": self.range.local(self.range.start),
            "end": self.range.local(self.range.end),
            "timezone": self.range.timezone,
            "source": source,
            "as_of": self.as_of,
        }
        if other:
            start, end = other.range.local(other.range.start), other.range.local(other.range.end)
            fields["compared_with"] = ComparedRange(start=start, end=end)
        return fields


class TakesLong(Exception):
    """The question needs a query that may take long, and may not run it now."""


class EventsNotKept(BadParameter):
    """The report is counted from events, and some that the site had in the range are no longer kept."""

    detail = "events of this range are no longer kept"

    def __init__(self, question: Question, kept_from: datetime) -> None:
        begin, kept = (question.range.local(moment).isoformat() for moment in (question.range.start, kept_from))
        super().__init__(
            question.begins_by,
            f"begins at {begin}; this is counted from events, which are no longer kept before {kept}",
            f"a range from {kept} on, or a question that rollups can answer",
        )


async def compared(conn: AsyncConnection, question: Question) -> Question | None:
    """The same question about the range to compare with, if one is requested. Raises BadParameter."""
    if not question.comparison:
        return None
    requested = question.range.compared(question.comparison, now=question.now)
    try:
        covered = await resolve(conn, question.site_id, requested, now=question.now)
    except BadParameter as error:  # the parameters of the range itself are not to blame
        raise BadParameter("compare", f"leads to a range that {error.reason}") from None
    return msgspec.structs.replace(question, range=covered, begins_by="compare")


def source_of(query: str) -> Source:
    """Where the numbers of a query are from."""
    return "events" if query in FROM_EVENTS - WITH_NEWEST_EVENTS else "rollups"


def check(question: Question, query: str) -> None:
    """Raise EventsNotKept if a query reads events of a range of which some are no longer kept, and TakesLong.

    The one place for all reports: numbers that are too low without a word are worse than none.
    """
    if question.range.kept_from and query in FROM_EVENTS:
        raise EventsNotKept(question, question.range.kept_from)
    of_visits = query.startswith("visits_")
    if not of_visits:
        question.filters.check_of_events()
    if question.filters.conditions and of_visits:
        (name, *_) = question.filters.needs
        raise BadParameter(
            "filter",
            f"{name} is of events, and this question is of whole visits",
            f"filters of visits: {', '.join(VISITS)}",
        )
    if query in LONG and not question.may_take_long():
        raise TakesLong(query)


async def rows(conn: AsyncConnection, question: Question, query: str, /, **others: Any) -> list[dict[str, Any]]:
    """The rows that a query returns for a question and its other parameters. Raises EventsNotKept and TakesLong."""
    check(question, query)
    return await fetch(conn, query, question.parameters() | others)


async def fetch(conn: AsyncConnection, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a query of sql/reports returns."""
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute(QUERIES[f"reports/{query}"], parameters)
        return await cur.fetchall()


def share(part: int, whole: int) -> float | None:
    """What part of a whole this is, to six places; None of nothing."""
    return round(part / whole, 6) if whole else None
