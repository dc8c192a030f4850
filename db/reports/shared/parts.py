"""A range that ends within a day, in two parts: whole days, which rollups have, and the rest, which events have."""

from datetime import date, timedelta

import msgspec
from psycopg import AsyncConnection

from db.reports.shared.ranges import RequestedRange, resolve
from db.reports.shared.report import Question


async def parts(conn: AsyncConnection, question: Question, *, bucket: str = "day") -> list[Question]:
    """The question about the whole buckets of its range, then about the rest; just itself where that is not needed.

    A range that is not over is compared up to the same time of day. Without this, all of its events would be counted
    because of its last hours. No bucket is in both, so that numbers of buckets that cannot be added up stay right.
    """
    covered = question.range
    first = covered.begins_with
    cut = _begin(covered.local(covered.end - timedelta(microseconds=1)).date(), bucket)
    if first is None or cut <= first:
        return [question]
    whole = RequestedRange(days=(first, cut), timezone=covered.timezone)
    days = await resolve(conn, question.site_id, whole, now=question.now)
    if days.start != covered.start or not days.start < days.end < covered.end:
        return [question]
    left = RequestedRange(instants=(days.end, covered.end), timezone=covered.timezone)
    rest = await resolve(conn, question.site_id, left, now=question.now)
    return [msgspec.structs.replace(question, range=one) for one in (days, rest)]


def _begin(day: date, bucket: str) -> date:
    """The first day of the week or month that a day is in; of shorter buckets the day."""
    if bucket == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if bucket == "month" else day
