"""GET /sessions."""

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
from db.events.errors import FieldError
from db.reports.sessions import PageSessions, Sessions, SessionSummary, sessions
from db.reports.shared.report import Question

EXAMPLE = Sessions(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 1, 3, tzinfo=UTC),
    timezone="UTC",
    source="rollups",
    as_of=datetime(2026, 1, 3, 12, tzinfo=UTC),
    summary=SessionSummary(
        sessions=480,
        users=417,
        anonymous=96,
        bounces=120,
        bounce_rate=0.25,
        views=1920,
        views_per_session=4.0,
        average_seconds=184.5,
        median_seconds=61.0,
    ),
    entry_pages=[PageSessions(path="/", sessions=320), PageSessions(path="/products/lamp", sessions=48)],
    exit_pages=[PageSessions(path="/thanks", sessions=130), PageSessions(path="/", sessions=121)],
)
BAD_LIMIT = FieldError(field="limit", reason="Expected `int` <= 100", allowed="How many pages: 1 to 100; ...")


class SessionsQuery(ComparedQuery, kw_only=True):
    """The parameters of GET /sessions."""

    limit: Annotated[
        int, Meta(ge=1, le=100, description="How many entry and how many exit pages: 1 to 100; left out: 10.")
    ] = 10


@get(
    "/sessions",
    summary="Sessions, bounces, entry and exit pages",
    tags=["reports"],
    operation_class=operation(query=SessionsQuery),
    responses={
        200: answer("The sessions. As CSV or NDJSON: the summary.", EXAMPLE),
        400: problem_response(
            "A parameter is missing or not valid.",
            refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_LIMIT]),
        ),
        **UNANSWERED,
    },
)
async def get_sessions(request: Request[Any, Any, Any]) -> Response[bytes]:
    """How many sessions there were, how long, how many were bounces, and at which pages they began and ended.

    A session is all events of a user with less than 30 minutes between one and the next, and belongs to the range in
    which it begins: what follows after the range's end still counts, what began before does not. A bounce is a session
    of a single event. Filters say which events sessions are made of: with `event_type:is:page_view`, of views alone.
    """
    query = read_query(request, SessionsQuery)

    async def read(conn: ReadConnection, as_of: datetime, asked: Question) -> Sessions:
        source, summary, entry_pages, exit_pages = await sessions(conn, asked, pages=query.limit)
        before = None
        if other := await compared(conn, query, asked):
            _, before, _, _ = await sessions(conn, other, pages=query.limit)
        return Sessions(
            **asked.head(source, as_of),
            summary=summary,
            entry_pages=entry_pages,
            exit_pages=exit_pages,
            compare=before,
        )

    report = await ask(resources(request), query, read)
    before = [report.compare] if report.compare else None
    columns = columns_of(SessionSummary)
    return report_response(request, report, [report.summary], columns, safe=query.safe, compare=before)
