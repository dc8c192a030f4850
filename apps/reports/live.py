"""GET /live."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from msgspec import Meta

from apps.reporting_resources import ReportingResources, resources_of
from apps.reports.shared.endpoint import as_tables, endpoint
from apps.reports.shared.query import AskedFormat, Safe
from apps.reports.shared.responses import Table, accepted, columns_of, report_response
from apps.reports.shared.visible import read_report_query
from apps.web.openapi import answer
from db.connections.pools import ReadConnection, begin_snapshot
from db.events.errors import FieldError
from db.events.event import SiteId
from db.reports.live import Live, LivePage, LivePoint, live
from db.reports.shared import filters
from db.reports.shared.filters import read_filters

EXAMPLE = Live(
    site_id="shop",
    start=datetime(2026, 1, 2, 3, 4, 30, tzinfo=UTC),
    end=datetime(2026, 1, 2, 3, 5, 30, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 1, 2, 3, 5, 30, tzinfo=UTC),
    events=12,
    users=5,
    anonymous=2,
    pages=[LivePage(path="/products/lamp", views=4, users=3, anonymous=1)],
    points=[
        LivePoint(at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC), events=9, users=4, anonymous=2),
        LivePoint(at=datetime(2026, 1, 2, 3, 5, tzinfo=UTC), events=3, users=2, anonymous=0),
    ],
)
BAD_MINUTES = FieldError(field="minutes", reason="should be at most 60", allowed="How many minutes back, from 1 to 60.")


class LiveQuery(msgspec.Struct, kw_only=True):
    """What is requested of the last minutes."""

    site_id: SiteId
    minutes: Annotated[int, Meta(ge=1, le=60, description="How many minutes back, from 1 to 60.")] = 5
    filter: Annotated[
        list[str],
        Meta(description=f"What events have to match; may be repeated (all have to match): {filters.ALLOWED}."),
    ] = msgspec.field(default_factory=list)
    limit: Annotated[int, Meta(ge=1, le=100, description="How many pages, from 1 to 100.")] = 10

    def filters(self) -> filters.Filters:
        """The filters. Raises BadParameter."""
        found = read_filters(self.filter)
        found.check_of_events()
        return found


class LiveTableQuery(LiveQuery, kw_only=True):
    """The parameters of GET /live."""

    format: AskedFormat = None
    safe: Safe = False


async def read_live(resources: ReportingResources, query: LiveQuery) -> Live:
    """The report now. Raises BadParameter."""
    filters = query.filters()

    async def read(conn: ReadConnection) -> Live:
        as_of = await begin_snapshot(conn)
        return await live(conn, query.site_id, filters, as_of=as_of, minutes=query.minutes, pages=query.limit)

    return await resources.read(read)


@endpoint(
    "/live",
    query=LiveTableQuery,
    summary="The last minutes",
    ok=answer("The report. As CSV or NDJSON: its minutes.", EXAMPLE),
    tables=as_tables(EXAMPLE, EXAMPLE.points),
    bad=BAD_MINUTES,
)
async def get_live(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The events and users of the last minutes, minute by minute, and the pages that are viewed.

    By the time of the events: those that come late, or are dated ahead, are not in it.
    """
    query = read_report_query(request, LiveTableQuery)
    media_type = accepted(request, query.format)
    report = await read_live(resources_of(request), query)
    table = Table(report=report, rows=report.points, columns=columns_of(LivePoint))
    response = report_response(request, table, media_type, safe=query.safe)
    response.headers["Cache-Control"] = "no-store"
    return response
