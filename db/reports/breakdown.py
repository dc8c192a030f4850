"""GET /breakdown: the values of a dimension that most events have: paths, event types, users, values of a property."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.reports.filters import PROPERTY, any_case
from db.reports.report import Question, Report, rows

Metrics = Literal["events", "events,users"]

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


class Breakdown(Report, kw_only=True, omit_defaults=True):
    """The values that most events have."""

    dimension: Annotated[str, Meta(examples=["path"])]
    total: Annotated[Total, Meta(description="All events that match the filters, whatever their value.")]
    without_value: Annotated[
        Total | None, Meta(description="Those of them that have no value: no `user_id`, or not this property.")
    ] = None
    rest: Annotated[int, Meta(description="Events with a value that is in none of the rows.", examples=[880])]
    values: Annotated[int, Meta(description="How many different values match `search`.", examples=[42])]
    rows: Annotated[list[Row], Meta(description="The values with most events first; equals by value.")]
    compare: Annotated[Compared | None, Meta(description="With `compare`: the range compared with.")] = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which values are wanted."""

    dimension: str
    """One of DIMENSIONS or properties.NAME."""
    users: bool
    search: str
    limit: int


async def breakdown(conn: AsyncConnection, question: Question, wanted: Wanted, *, as_of: datetime) -> Breakdown:
    """The values with most events."""
    query = _query(question, wanted.dimension, users=wanted.users)
    found = await _ask(conn, query, question, wanted, search=any_case(wanted.search))
    events: int = found["events"]
    top = [Row(**row, share=round(row["events"] / events, 6)) for row in found["rows"]]
    without_value = None
    if wanted.dimension not in ("path", "event_type"):
        names = ("events", "users", "anonymous") if wanted.users else ("events",)
        without_value = Total(**{name: (found["without_value"] or {}).get(name, 0) for name in names})
    return Breakdown(
        **question.head("events" if query.endswith("from_events") else "rollups", as_of),
        dimension=wanted.dimension,
        total=Total(events=events, users=found.get("users"), anonymous=found.get("anonymous")),
        without_value=without_value,
        rest=events - sum(row.events for row in top) - (without_value.events if without_value else 0),
        values=found["values"],
        rows=top,
    )


async def compare(conn: AsyncConnection, other: Question, wanted: Wanted, report: Breakdown) -> None:
    """Add to a report what the values that are in it have in another range."""
    query = _query(other, wanted.dimension, users=False)
    found = await _ask(conn, query, other, wanted, only=[row.value for row in report.rows])
    events = {row["value"]: row["events"] for row in found["rows"]}
    for row in report.rows:
        row.compare_events = events.get(row.value, 0)
    start, end = other.range.local(other.range.start), other.range.local(other.range.end)
    report.compare = Compared(start=start, end=end, events=found["events"])


async def _ask(
    conn: AsyncConnection, query: str, question: Question, wanted: Wanted, *, search: str = "", only: Sequence[str] = ()
) -> dict[str, Any]:
    named = PROPERTY.fullmatch(wanted.dimension)
    parameters = question.parameters(
        dimension=wanted.dimension,
        property=named.group(1).split(".") if named else [],
        search=search,
        only=list(only),
        limit=wanted.limit,
    )
    (found,) = await rows(conn, query, parameters)
    return found


def _query(question: Question, dimension: str, *, users: bool) -> str:
    """The query that answers fastest."""
    needs, covered = question.filters.needs, question.range
    if dimension == "event_type" and needs <= {"event_type"}:
        if users and covered.days_fit:
            return "breakdown_users_by_days"
        if not users and covered.hours_fit:
            return "breakdown_by_hours"
    if dimension in ("path", "event_type") and needs <= {"event_type", "path"} and covered.days_fit and not users:
        return "breakdown_by_paths"
    return "breakdown_users_from_events" if users else "breakdown_from_events"
