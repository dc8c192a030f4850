"""GET /breakdown: the values of a dimension that most events have: paths, event types, users, values of a property."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.reports.shared.filters import PROPERTY, any_case
from db.reports.shared.parts import parts
from db.reports.shared.report import ComparedReport, Question, compared, rows, source_of
from db.reports.shared.spans import path_parameters, spans, spans_and_days, user_parameters

#: The metrics of events.
METRICS = ("events", "events,users")

#: The dimensions; beside them properties.NAME.
DIMENSIONS = ("path", "event_type", "user_id")

Users = Annotated[int, Meta(description="With metrics `events,users`: different `user_id`s.", examples=[417])]
Anonymous = Annotated[
    int,
    Meta(description="With metrics `events,users`: events that name no user, who are not in `users`.", examples=[3]),
]


class Row(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One value of the dimension."""

    value: Annotated[str, Meta(examples=["/products/lamp"])]
    events: Annotated[int, Meta(examples=[120])]
    share: Annotated[float, Meta(description="Its part of all events of the report, from 0 to 1.", examples=[0.12])]
    users: Users | None = None
    anonymous: Anonymous | None = None
    compare_events: Annotated[int | None, Meta(description="With `compare`: its events in that range.")] = None


class Total(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The events of several values, or of none."""

    events: Annotated[int, Meta(examples=[1000])]
    users: Users | None = None
    anonymous: Anonymous | None = None


class Compared(msgspec.Struct, kw_only=True):
    """The range that a report is compared with."""

    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    events: Annotated[int, Meta(description="As `total.events`.", examples=[900])]


class Breakdown(ComparedReport, kw_only=True, omit_defaults=True):
    """The values that most events have."""

    dimension: Annotated[str, Meta(examples=["path"])]
    total: Annotated[Total, Meta(description="All events that match the filters, with any value or none.")]
    without_value: Annotated[
        Total | None, Meta(description="Those of them that have no value: no `user_id`, or not this property.")
    ] = None
    rest: Annotated[int, Meta(description="Events with a value that is in none of the rows.", examples=[880])]
    values: Annotated[int, Meta(description="How many different values match `search`.", examples=[42])]
    rows: Annotated[list[Row], Meta(description="The values with most events first; equals by value.")]
    compare: Annotated[Compared | None, Meta(description="With `compare`: the range compared with.")] = None


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """Which values are criteria."""

    dimension: str
    """One of DIMENSIONS or properties.NAME."""
    users: bool
    search: str
    limit: int

    @property
    def may_be_absent(self) -> bool:
        """Whether there are events that have no value."""
        return self.dimension not in ("path", "event_type")


async def breakdown(conn: AsyncConnection, question: Question, criteria: Criteria) -> Breakdown:
    """The values with most events. Raises BadParameter."""
    query = _events_query(question, criteria)
    found = await _of_day(conn, question, criteria)
    if found is None:
        parameters = _parameters(question, criteria, search=any_case(criteria.search))
        (found,) = await rows(conn, question, query, **parameters)
    events: int = found["events"]
    absent: int = found.get("without_value", 0)
    other = await compared(conn, question)
    report = Breakdown(
        **question.head(source_of(query), other),
        dimension=criteria.dimension,
        total=Total(events=events),
        without_value=Total(events=absent) if criteria.may_be_absent else None,
        rest=events - absent - sum(row["events"] for row in found["rows"]),
        values=found["values"],
        rows=[Row(**row, share=round(row["events"] / events, 6)) for row in found["rows"]],
    )
    if criteria.users:
        await _count_users(conn, question, criteria, report)
    if other:
        await _compare(conn, other, criteria, report)
    return report


async def _compare(conn: AsyncConnection, other: Question, criteria: Criteria, report: Breakdown) -> None:
    """Add to a report the events that its values have in another range."""
    only = [row.value for row in report.rows]
    total, events = 0, Counter[str]()
    for part in await parts(conn, other):
        (found,) = await rows(conn, part, _events_query(part, criteria), **_parameters(part, criteria, only=only))
        total += found["events"]
        events.update({row["value"]: row["events"] for row in found["rows"]})
    for row in report.rows:
        row.compare_events = events[row.value]
    start, end = other.range.local(other.range.start), other.range.local(other.range.end)
    report.compare = Compared(start=start, end=end, events=total)


async def _of_day(conn: AsyncConnection, question: Question, criteria: Criteria) -> dict[str, Any] | None:
    """The row of a single day that is over, for all paths; None if it is another question, or there is none."""
    covered = question.range
    if criteria.dimension != "path" or criteria.search or question.filters.conditions or not covered.days_fit:
        return None
    if not covered.first_day or covered.end_day != covered.first_day + timedelta(days=1):
        return None
    return next(iter(await rows(conn, question, "breakdown_of_day", limit=criteria.limit)), None)


async def _count_users(conn: AsyncConnection, question: Question, criteria: Criteria, report: Breakdown) -> None:
    """Add users to a report: of its values only, which takes much less time than to count them of all."""
    by_days = question.range.days_fit and question.filters.needs <= {"event_type"}
    parameters = _parameters(question, criteria, only=[row.value for row in report.rows])
    if by_days and criteria.dimension == "event_type":
        query = "breakdown_users_by_days"
        parameters |= user_parameters(question.range, cut=spans)
    else:
        query = "breakdown_users_from_events"
        report.source = source_of(query)
    found = await rows(conn, question, query, **parameters)
    of_all = user_parameters(question.range, cut=None if question.filters.conditions else spans_and_days)
    (total,) = await rows(conn, question, "users_by_days" if by_days else "users_from_events", **parameters | of_all)
    report.total = Total(events=report.total.events, **total)
    counted = {row["value"]: row for row in found}
    for row in report.rows:
        row.users, row.anonymous = counted[row.value]["users"], counted[row.value]["anonymous"]
    if report.without_value:
        absent = counted.get(None, {"users": 0, "anonymous": 0})
        report.without_value.users, report.without_value.anonymous = absent["users"], absent["anonymous"]


def _events_query(question: Question, criteria: Criteria) -> str:
    """The fastest query that has the numbers."""
    needs = question.filters.needs
    if criteria.dimension == "event_type" and needs <= {"event_type"} and question.range.hours_fit:
        return "breakdown_by_hours"
    if not criteria.may_be_absent and needs <= {"event_type", "path"} and question.range.days_fit:
        return "breakdown_by_paths"
    return "breakdown_from_events"


def _parameters(
    question: Question, criteria: Criteria, *, search: str = "", only: Sequence[str] = ()
) -> dict[str, Any]:
    named = PROPERTY.fullmatch(criteria.dimension)
    return {
        "dimension": criteria.dimension,
        "property": named.group(1).split(".") if named else [],
        "search": search,
        "only": list(only),
        "limit": criteria.limit,
        **path_parameters(question.range),
    }
