"""GET /retention."""

from datetime import UTC, date, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.shared.endpoint import report
from apps.reports.shared.query import ReportQuery
from apps.reports.shared.responses import Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import FieldError
from db.reports.retention import (
    MAX_PERIODS,
    PERIODS,
    STEPS,
    Cohort,
    Interval,
    Retention,
    Return,
    retention,
    returns,
)
from db.reports.shared.report import Question

EXAMPLE = Retention(
    site_id="shop",
    start=datetime(2026, 1, 5, tzinfo=UTC),
    end=datetime(2026, 1, 19, tzinfo=UTC),
    timezone="UTC",
    source="rollups",
    as_of=datetime(2026, 1, 14, 12, tzinfo=UTC),
    interval="week",
    periods=8,
    cohorts=[
        Cohort(cohort=date(2026, 1, 5), size=400, anonymous=12, values=[400, 100], shares=[1.0, 0.25]),
        Cohort(cohort=date(2026, 1, 12), size=0, anonymous=0, values=[0], shares=[None]),
    ],
)
BAD_PERIODS = FieldError(field="periods", reason="should be at most 90", allowed="1 to 90")


class RetentionQuery(ReportQuery, kw_only=True):
    """The parameters of GET /retention. The filters say what counts as coming back."""

    interval: Annotated[Interval, Meta(description="Cohorts and what follows them: by `day` or by `week`.")] = "day"
    periods: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=MAX_PERIODS,
                description=f"How many days or weeks to follow a cohort: 1 to {MAX_PERIODS}; left out: "
                f"{PERIODS['day']} days or {PERIODS['week']} weeks.",
                examples=[8],
            ),
        ]
        | None
    ) = None


@report(
    "/retention",
    query=RetentionQuery,
    summary="How many users come back",
    example=EXAMPLE,
    rows=returns(EXAMPLE.cohorts),
    table="The cohorts. As CSV or NDJSON: one row for each cohort and period.",
    bad=BAD_PERIODS,
)
async def get_retention(conn: ReadConnection, question: Question, query: RetentionQuery) -> Table:
    """For each day or week of a range: the users whom the site saw then for the first time ever, and how many of them
    were there again in each day or week that followed, also after the range, up to now.

    Days are those of the timezone; weeks begin on Monday, and the range may begin or end within one. Filters say what
    counts as being there again; users are first seen by events of any kind.
    """
    found = await retention(conn, question, interval=query.interval, periods=query.periods)
    over = question.range.end + (found.periods + 1) * STEPS[query.interval]
    return Table(report=found, rows=returns(found.cohorts), columns=columns_of(Return), over=over)
