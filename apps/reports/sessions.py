"""GET /sessions."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.shared.endpoint import report
from apps.reports.shared.query import ComparedQuery
from apps.reports.shared.responses import Table, columns_of
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
BAD_LIMIT = FieldError(field="limit", reason="should be at most 100", allowed="How many pages: 1 to 100; ...")


class SessionsQuery(ComparedQuery, kw_only=True):
    """The parameters of GET /sessions."""

    limit: Annotated[
        int, Meta(ge=1, le=100, description="How many entry and how many exit pages: 1 to 100; left out: 10.")
    ] = 10


@report(
    "/sessions",
    query=SessionsQuery,
    summary="Sessions, bounces, entry and exit pages",
    example=EXAMPLE,
    rows=[EXAMPLE.summary],
    table="The sessions. As CSV or NDJSON: the summary.",
    bad=BAD_LIMIT,
)
async def get_sessions(conn: ReadConnection, question: Question, query: SessionsQuery) -> Table:
    """How many sessions there were, how long, how many were bounces, and at which pages they began and ended.

    A session is all events of a user with less than 30 minutes between one and the next, and belongs to the range in
    which it begins: what follows after the range's end still counts, what began before does not. A bounce is a session
    of a single event. Filters say which events sessions are made of: with `event_type:is:page_view`, of views alone.
    """
    found = await sessions(conn, question, pages=query.limit)
    before = [found.compare] if found.compare else None
    return Table(report=found, rows=[found.summary], columns=columns_of(SessionSummary), compare=before)
