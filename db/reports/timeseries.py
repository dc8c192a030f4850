"""GET /timeseries: events, views or unique users by minute, hour, day, week or month."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.events.errors import BadParameter
from db.reports.shared.filters import VIEW
from db.reports.shared.parts import parts
from db.reports.shared.report import ComparedReport, Question, compared, rows, source_of
from db.reports.shared.spans import days, path_parameters, spans_and_days, user_parameters

Metric = Literal["events", "views", "users"]
Interval = Literal["minute", "hour", "day", "week", "month"]

#: Points that a series may have.
MAX_POINTS = 1_500
#: How long a bucket is at most, and a step that meets each: changed clocks make days of 23 hours, hours of 30 minutes.
LONGEST: dict[Interval, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=31),
}
STEPS: dict[Interval, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(minutes=15),
    "day": timedelta(hours=6),
    "week": timedelta(days=1),
    "month": timedelta(days=7),
}


#: Since this year all clocks are whole quarters of an hour apart, and so hours begin with one of the moments of STEPS.
QUARTERS_SINCE = 1973


class Point(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One bucket of a series."""

    at: Annotated[datetime, Meta(description="When the bucket begins; weeks begin on Monday.")]
    value: Annotated[int, Meta(examples=[120])]
    anonymous: Annotated[
        int | None,
        Meta(description="With metric `users`: events that name no user, who are not in `value`.", examples=[3]),
    ] = None


class Timeseries(ComparedReport, kw_only=True, omit_defaults=True):
    """A series of one point a bucket, also where nothing happened."""

    metric: Metric
    interval: Interval
    points: list[Point]
    compare: Annotated[
        list[Point] | None, Meta(description="With `compare`: the same of the range compared with, bucket by bucket.")
    ] = None


def intervals(question: Question) -> list[Interval]:
    """The intervals that the length of a range allows."""
    length = question.range.end - question.range.start
    return [name for name, longest in LONGEST.items() if length <= MAX_POINTS * longest]


async def timeseries(
    conn: AsyncConnection, question: Question, *, metric: Metric, interval: Interval | None = None
) -> Timeseries:
    """One point a bucket; the first and the last may have a part of one. Raises BadParameter."""
    interval = chosen(question, interval)
    found = await points(conn, question, metric, interval)
    other = await compared(conn, question)
    return Timeseries(
        **question.head(source_of(_query(question, metric, interval)), other),
        metric=metric,
        interval=interval,
        points=found,
        compare=await points(conn, other, metric, interval) if other else None,
    )


def chosen(question: Question, interval: Interval | None) -> Interval:
    """The interval that is asked for, or the usual one. Raises BadParameter for one that is too fine."""
    allowed = intervals(question)
    interval = interval or _usual_interval(question, allowed)
    if interval not in allowed:
        reason = f"{interval!r} is too fine for this range"
        raise BadParameter("interval", reason, ", ".join(allowed) or "none: a shorter range")
    return interval


def _usual_interval(question: Question, allowed: list[Interval]) -> Interval:
    usual: Interval = "hour" if question.range.end - question.range.start <= timedelta(hours=48) else "day"
    return usual if usual in allowed or not allowed else allowed[0]


async def points(conn: AsyncConnection, question: Question, metric: Metric, interval: Interval) -> list[Point]:
    """The points of a series of any length."""
    found = [await _points(conn, part, metric, interval) for part in await parts(conn, question, bucket=interval)]
    return [point for part in found for point in part]


async def _points(conn: AsyncConnection, question: Question, metric: Metric, interval: Interval) -> list[Point]:
    query, spans = _query(question, metric, interval), _spans(question, metric, interval)
    if metric == "views":
        question = msgspec.structs.replace(question, filters=question.filters.only(VIEW))
    found = await rows(conn, question, query, interval=interval, step=STEPS[interval], **spans)
    return [Point(**row | {"at": question.range.begin(row["at"], interval)}) for row in found]


def _spans(question: Question, metric: Metric, interval: Interval) -> dict[str, Any]:
    """The parameters that say in which spans the query finds what, none of them longer than the interval."""
    if metric != "users":
        return path_parameters(question.range, whole=interval == "month")
    if question.filters.conditions:
        return user_parameters(question.range, cut=None)
    return user_parameters(question.range, cut=spans_and_days if interval == "month" else days)


def _hours_of_sessions(question: Question) -> bool:
    """Whether the sessions of a range tell who was there in each of its hours."""
    covered = question.range
    return covered.hours_fit and not question.filters.conditions and covered.start.year >= QUARTERS_SINCE


def _query(question: Question, metric: Metric, interval: Interval) -> str:
    """The fastest query that has the numbers."""
    needs = question.filters.needs
    by_day = question.range.days_fit and interval not in ("minute", "hour")
    if metric == "users":
        by_day = by_day and question.range.hours_fit  # which have the anonymous events
        if by_day and interval == "day" and not question.filters.conditions:
            return "timeseries_users_daily"
        if interval == "hour" and _hours_of_sessions(question):
            return "timeseries_users_by_sessions"
        return "timeseries_users_by_days" if by_day and needs <= {"event_type"} else "timeseries_users_from_events"
    if question.range.hours_fit and interval != "minute" and needs <= {"event_type"}:
        return "timeseries_by_hours"
    if by_day and needs <= {"event_type", "path"}:
        return "timeseries_by_paths"
    return "timeseries_from_events"
