"""GET /journeys."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
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
from db.events.errors import FieldError
from db.reports.journeys import Direction, Journeys, Sequence, journeys
from db.reports.shared.report import Question

EXAMPLE = Journeys(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 1, 3, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 1, 3, 12, tzinfo=UTC),
    path="/",
    direction="from",
    steps=2,
    sessions=480,
    users=417,
    anonymous=96,
    other_sessions=240,
    journeys=[
        Sequence(pages=["/", "/products", "/products/lamp"], sessions=144, users=140, share=0.3),
        Sequence(pages=["/"], sessions=96, users=96, share=0.2),
    ],
)
BAD_STEPS = FieldError(field="steps", reason="Expected `int` <= 5", allowed="How many pages beyond it: 1 to 5; ...")


class JourneysQuery(FilteredQuery, kw_only=True):
    """The parameters of GET /journeys."""

    path: Annotated[
        str,
        Meta(min_length=1, max_length=2_048, description="The page, exactly.", examples=["/products/lamp"]),
    ]
    direction: Annotated[
        Direction, Meta(description="`from`: what is viewed after the page; `to`: what is viewed before it.")
    ] = "from"
    steps: Annotated[int, Meta(ge=1, le=5, description="How many pages beyond it: 1 to 5; left out: 3.")] = 3
    limit: Annotated[int, Meta(ge=1, le=100, description="How many sequences: 1 to 100; left out: 10.")] = 10


@get(
    "/journeys",
    summary="The most frequent ways from or to a page",
    tags=["reports"],
    operation_class=operation(query=JourneysQuery),
    responses={
        200: answer("The sequences. As CSV or NDJSON: one a row.", EXAMPLE),
        400: problem_response(
            "A parameter is missing or not valid.",
            refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_STEPS]),
        ),
        **UNANSWERED,
    },
)
async def get_journeys(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Which pages users view one after the other, from a page or to it, the most frequent sequences first.

    Views are events of type `page_view`. Each session that has the page counts once, by its first view of it; a page
    viewed several times in a row is one. Sessions are those of `/sessions`.
    """
    query = read_query(request, JourneysQuery)

    async def read(conn: ReadConnection, as_of: datetime, asked: Question) -> Journeys:
        found = await journeys(
            conn, asked, path=query.path, direction=query.direction, steps=query.steps, limit=query.limit
        )
        return Journeys(
            **asked.head("events", as_of),
            path=query.path,
            direction=query.direction,
            steps=query.steps,
            **msgspec.structs.asdict(found),
        )

    report = await ask(resources(request), query, read)
    return report_response(request, report, report.journeys, columns_of(Sequence), safe=query.safe)
