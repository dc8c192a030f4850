"""GET /retention."""

from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Request, Response, get
from msgspec import Meta

from apps.reporting_resources import resources
from apps.reports.shared.asking import ask
from apps.reports.shared.disconnects import UNANSWERED
from apps.reports.shared.query import FilteredQuery
from apps.reports.shared.responses import columns_of, report_response
from apps.web.openapi import answer, operation
from apps.web.problems import problem_response, refuse
from apps.web.query_params import read_query
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.reports.retention import (
    MAX_COHORTS,
    MAX_PERIODS,
    PERIODS,
    STEPS,
    Cohort,
    Interval,
    Retention,
    Return,
    cohorts_at_most,
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
BAD_PERIODS = FieldError(field="periods", reason="Expected `int` <= 90", allowed="1 to 90")


class RetentionQuery(FilteredQuery, kw_only=True):
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


@get(
    "/retention",
    summary="How many users come back",
    tags=["reports"],
    operation_class=operation(query=RetentionQuery),
    responses={
        200: answer("The cohorts. As CSV or NDJSON: one row for each cohort and period.", EXAMPLE),
        400: problem_response(
            "A parameter is missing or not valid.",
            refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_PERIODS]),
        ),
        **UNANSWERED,
    },
)
async def get_retention(request: Request[Any, Any, Any]) -> Response[bytes]:
    """For each day or week of a range: the users whom the site saw then for the first time ever, and how many of them
    were there again in each day or week that followed, also after the range, up to now.

    Days are those of the timezone; weeks begin on Monday, and the range may begin or end within one. Filters say what
    counts as being there again; users are first seen by events of any kind.
    """
    query = read_query(request, RetentionQuery)
    periods = query.periods or PERIODS[query.interval]

    async def read(conn: ReadConnection, as_of: datetime, asked: Question) -> tuple[Retention, datetime]:
        if cohorts_at_most(asked, query.interval) > MAX_COHORTS:
            reason = f"{query.interval!r} makes more than {MAX_COHORTS} cohorts of this range"
            raise BadParameter("interval", reason)
        source, cohorts = await retention(conn, asked, interval=query.interval, periods=periods, as_of=as_of)
        report = Retention(**asked.head(source, as_of), interval=query.interval, periods=periods, cohorts=cohorts)
        return report, asked.range.end + (periods + 1) * STEPS[query.interval]

    report, over = await ask(resources(request), query, read)
    return report_response(request, report, returns(report.cohorts), columns_of(Return), safe=query.safe, over=over)
