"""GET /sites."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from msgspec import Meta

from apps.access.guard import identity_of
from apps.reporting_resources import resources_of
from apps.reports.shared.endpoint import as_tables, endpoint
from apps.reports.shared.query import AskedFormat, Safe
from apps.reports.shared.responses import VARY, accepted, columns_of, encoded
from apps.web.openapi import answer
from apps.web.query_params import read_query
from db.connections.pools import ReadConnection
from db.events.errors import FieldError
from db.reports.sites import Site, SitePage, sites

EXAMPLE = SitePage(
    sites=[
        Site(
            site_id="shop",
            timezone="Europe/Berlin",
            events=4096,
            users=417,
            anonymous=12,
            first_event=datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC),
            last_event=datetime(2026, 2, 1, 12, tzinfo=UTC),
        )
    ],
    next_cursor=None,
)
BAD_LIMIT = FieldError(field="limit", reason="should be at least 1", allowed="How many at most: 1 to 1,000.")


class SitesQuery(msgspec.Struct, kw_only=True):
    """The parameters of GET /sites."""

    search: Annotated[
        str,
        Meta(max_length=200, description="Only sites with this text in their `site_id`, in small or large letters."),
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most: 1 to 1,000; left out: 100.")] = 100
    cursor: Annotated[str | None, Meta(description="`next_cursor` of the page before.")] = None
    format: AskedFormat = None
    safe: Safe = False


@endpoint(
    "/sites",
    query=SitesQuery,
    summary="List the sites",
    ok=answer("A page of them. As CSV or NDJSON: the sites.", EXAMPLE),
    tables=as_tables(EXAMPLE),
    bad=BAD_LIMIT,
)
async def get_sites(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Every site that has sent an event or was set up, by `site_id`: its timezone, totals, first and last event."""
    query, identity = read_query(request, SitesQuery), identity_of(request)
    only = None if identity.sites is None else sorted(identity.sites)
    media_type = accepted(request, query.format)

    async def read(conn: ReadConnection) -> SitePage:
        return await sites(conn, search=query.search, limit=query.limit, cursor=query.cursor, only=only)

    page = await resources_of(request).read(read)
    body = encoded(page, page.sites, columns_of(Site), media_type, safe=query.safe)
    return Response(body, media_type=media_type, headers={"Vary": VARY})
