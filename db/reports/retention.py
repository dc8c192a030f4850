"""GET /retention: of the users whom a site first saw in a day or week, how many came back in those that followed."""

from datetime import date, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.events.errors import BadParameter
from db.reports.shared.report import Question, Report, rows, share, source_of

Interval = Literal["day", "week"]

#: Cohorts that a report may have, and periods that may follow each; how many follow unless it is said.
MAX_COHORTS = 400
MAX_PERIODS = 90
PERIODS: dict[Interval, int] = {"day": 30, "week": 8}
STEPS: dict[Interval, timedelta] = {"day": timedelta(days=1), "week": timedelta(weeks=1)}


class Cohort(msgspec.Struct, kw_only=True):
    """The users whom a site first saw in one day or week."""

    cohort: Annotated[date, Meta(description="The day, or the Monday of the week.")]
    size: Annotated[int, Meta(description="How many they are.", examples=[417])]
    anonymous: Annotated[
        int, Meta(description="Events of that time in the range that name no user, who are in no cohort.")
    ]
    values: Annotated[
        list[int],
        Meta(
            description="How many of them were there in that day or week, in the next, and so on up to the present, "
            "which is not over yet.",
            examples=[[417, 120, 96]],
        ),
    ]
    shares: Annotated[
        list[float | None],
        Meta(description="The same as shares of `size`; null where that is 0.", examples=[[1, 0.2878]]),
    ]


class Return(msgspec.Struct, kw_only=True):
    """One value of a cohort: the matrix as a table."""

    cohort: date
    size: int
    anonymous: int
    period: int
    users: int
    share: float | None


class Retention(Report, kw_only=True):
    """A row a cohort, also where nobody was first seen."""

    interval: Interval
    periods: Annotated[int, Meta(description="How many days or weeks may follow.")]
    cohorts: list[Cohort]


async def retention(
    conn: AsyncConnection, question: Question, *, interval: Interval, periods: int | None = None
) -> Retention:
    """A row a cohort, with at most `periods` values after its first. Raises BadParameter.

    A cohort are those first seen in the range and never before, by events of any kind; the filters say what counts as
    being there later.
    """
    covered = question.range
    if (covered.end - covered.start) / STEPS[interval] > MAX_COHORTS:
        raise BadParameter("interval", f"{interval!r} makes more than {MAX_COHORTS} cohorts of this range")
    kept = covered.days_fit and covered.hours_fit and question.filters.needs <= {"event_type"}
    query = "retention_by_days" if kept else "retention_from_events"
    periods = periods or PERIODS[interval]
    found = await rows(conn, question, query, interval=interval, periods=periods, as_of=question.as_of)
    cohorts = [Cohort(**row, shares=[share(users, row["size"]) for users in row["values"]]) for row in found]
    return Retention(**question.head(source_of(query)), interval=interval, periods=periods, cohorts=cohorts)


def returns(cohorts: list[Cohort]) -> list[Return]:
    """The values of all cohorts, one by one."""
    return [
        Return(
            cohort=one.cohort,
            size=one.size,
            anonymous=one.anonymous,
            period=period,
            users=users,
            share=one.shares[period],
        )
        for one in cohorts
        for period, users in enumerate(one.values)
    ]
