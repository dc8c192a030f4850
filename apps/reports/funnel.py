"""GET /funnel."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Request, Response, get
from msgspec import Meta

from apps.reporting_resources import resources
from apps.reports.shared.asking import ask, compared
from apps.reports.shared.disconnects import UNANSWERED
from apps.reports.shared.query import ComparedQuery
from apps.reports.shared.responses import columns_of, report_response
from apps.web.openapi import answer, operation
from apps.web.problems import problem_response, refuse
from apps.web.query_params import read_query
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.reports.funnel import FEWEST_STEPS, LONGEST_WINDOW, MOST_STEPS, STEP, WINDOW, Funnel, Step, funnel, read_window
from db.reports.shared.report import Question

EXAMPLE = Funnel(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 2, 3, 12, tzinfo=UTC),
    window="1d",
    steps=[
        Step(step="page_view;path:is:/products/*", users=400, from_first=1.0, anonymous=25),
        Step(step="add_to_cart", users=100, from_previous=0.25, from_first=0.25, median_seconds=94.5, anonymous=3),
        Step(step="purchase", users=40, from_previous=0.4, from_first=0.1, median_seconds=310.0, anonymous=0),
    ],
)
BAD_STEP = FieldError(field="step", reason="is given 1 times", allowed=f"{FEWEST_STEPS} to {MOST_STEPS} times {STEP}")


class FunnelQuery(ComparedQuery, kw_only=True):
    """The parameters of GET /funnel. The filters are for the events of all steps."""

    step: Annotated[
        list[str],
        Meta(
            description=f"A step, repeated {FEWEST_STEPS} to {MOST_STEPS} times in their order: {STEP}.",
            examples=[["page_view;path:is:/products/*", "add_to_cart", "purchase"]],
        ),
    ]
    window: Annotated[
        str,
        Meta(
            pattern=WINDOW,
            description="How long after the first step the others may be, in minutes, hours or days: 30m, 1h or 7d; at "
            f"most {LONGEST_WINDOW.days}d.",
            examples=["7d"],
        ),
    ] = "1d"


@get(
    "/funnel",
    summary="How many users go through some steps",
    tags=["reports"],
    operation_class=operation(query=FunnelQuery),
    responses={
        200: answer("The funnel. As CSV or NDJSON: its steps.", EXAMPLE),
        400: problem_response(
            "A parameter is missing or not valid.",
            refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_STEP]),
        ),
        **UNANSWERED,
    },
)
async def get_funnel(request: Request[Any, Any, Any]) -> Response[bytes]:
    """How many users took the steps in their order, each later than the one before and all within a window of time.

    The first step is in the range, the others may be after it; anything may happen in between. A user may begin as
    often as he likes, and counts as far as he ever came. Two events of the same time are not one after the other. A
    step took the time from when the user last was in the step before to when he first was in this one.
    """
    query = read_query(request, FunnelQuery)
    if not FEWEST_STEPS <= len(query.step) <= MOST_STEPS:
        raise BadParameter("step", f"is given {len(query.step)} times")
    if not (window := read_window(query.window)):
        raise BadParameter("window", f"{query.window!r} is too long")

    async def read(conn: ReadConnection, as_of: datetime, asked: Question) -> tuple[Funnel, datetime]:
        other = await compared(conn, query, asked)
        source, steps = await funnel(conn, asked, steps=query.step, window=window)
        before = None
        if other:
            _, before = await funnel(conn, other, steps=query.step, window=window)
        report = Funnel(**asked.head(source, as_of), window=query.window, steps=steps, compare=before)
        return report, asked.range.end + window

    report, over = await ask(resources(request), query, read)
    return report_response(
        request, report, report.steps, columns_of(Step), safe=query.safe, compare=report.compare, over=over
    )
