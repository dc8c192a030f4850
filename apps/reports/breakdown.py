"""GET /breakdown."""

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
from db.reports.breakdown import DIMENSIONS, Breakdown, Metrics, Row, Total, Wanted, breakdown, compare
from db.reports.shared.filters import PROPERTY
from db.reports.shared.report import Question

EXAMPLE = Breakdown(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="rollups",
    as_of=datetime(2026, 2, 1, 12, tzinfo=UTC),
    dimension="path",
    total=Total(events=1000),
    rest=550,
    values=42,
    rows=[Row(value="/", events=330, share=0.33), Row(value="/products/lamp", events=120, share=0.12)],
)
ALLOWED = "path, event_type, user_id or properties.NAME, such as properties.currency"
BAD_DIMENSION = FieldError(field="dimension", reason="'colour' is unknown", allowed=ALLOWED)


class BreakdownQuery(ComparedQuery, kw_only=True):
    """The parameters of GET /breakdown."""

    dimension: Annotated[
        str,
        Meta(
            description=f"By what: {ALLOWED}; dots in NAME lead into objects. A value that is no text counts as the "
            "JSON that it is.",
            examples=["path"],
        ),
    ]
    metrics: Annotated[
        Metrics,
        Meta(
            description="`events`; or `events,users`: unique users as well, which takes longer for all but event types."
        ),
    ] = "events"
    search: Annotated[
        str, Meta(max_length=200, description="Only values that have this text in them, in small or large letters.")
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many rows at most: 1 to 1,000; left out: 10.")] = 10


@get(
    "/breakdown",
    summary="Top paths, event types, users or properties",
    tags=["reports"],
    operation_class=operation(query=BreakdownQuery),
    responses={
        200: answer("The values with most events. As CSV or NDJSON: the rows.", EXAMPLE),
        400: problem_response(
            "A parameter is missing or not valid.",
            refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_DIMENSION]),
        ),
        **UNANSWERED,
    },
)
async def get_breakdown(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The values of a dimension that most events have, each with its share of all events.

    All events are told: `total.events` = those of the rows + `rest` + `without_value.events`. What a `search` leaves
    out is in the rest, so that shares stay what they are. `compare` gives each row its events in the other range.
    """
    query = read_query(request, BreakdownQuery)
    if query.dimension not in DIMENSIONS and not PROPERTY.fullmatch(query.dimension):
        raise BadParameter("dimension", f"{query.dimension!r} is unknown", ALLOWED)
    wanted = Wanted(
        dimension=query.dimension, users=query.metrics == "events,users", search=query.search, limit=query.limit
    )

    async def read(conn: ReadConnection, as_of: datetime, asked: Question) -> Breakdown:
        report = await breakdown(conn, asked, wanted, as_of=as_of)
        if other := await compared(conn, query, asked):
            await compare(conn, other, wanted, report)
        return report

    report = await ask(resources(request), query, read)
    absent = () if wanted.users else ("users", "anonymous")
    columns = columns_of(Row, without=absent if query.compare else (*absent, "compare_events"))
    return report_response(request, report, report.rows, columns, safe=query.safe)
