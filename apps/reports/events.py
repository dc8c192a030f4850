"""GET /events and GET /events/export."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request
from litestar.background_tasks import BackgroundTask
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.response import Stream
from msgspec import Meta

from apps.access.limits import charge_long
from apps.reporting_resources import EXPORTS, ReportingResources, resources_of
from apps.reports.shared.disconnects import UNANSWERED
from apps.reports.shared.endpoint import endpoint, report
from apps.reports.shared.execution import long_connection
from apps.reports.shared.query import ReportQuery
from apps.reports.shared.responses import CSV, NDJSON, Table, accepted, columns_of, encoded_rows
from apps.reports.shared.streaming import Parts
from apps.reports.shared.visible import read_report_query
from apps.web.problems import problem_response, unavailable
from db.access.scopes import Scope
from db.connections.pools import ReadConnection
from db.events.errors import FieldError
from db.reports.events import EventPage, StoredEvent, events, export
from db.reports.shared.report import Question

RETRY_EXPORT = 10
#: Seconds for which a client may take nothing of an export: its open transaction holds up vacuum.
STALL_TIMEOUT = 60.0
TOO_MANY = f"{EXPORTS} exports are running, which is as many as may run at once"

EVENT = StoredEvent(
    event_id=UUID("019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f"),
    event_type="purchase",
    path="/checkout",
    user_id="customer-17",
    visitor_id="f0b3a1c2",
    event_time=datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC),
    received_at=datetime(2026, 1, 2, 3, 4, 5, 700_000, UTC),
    stored_at=datetime(2026, 1, 2, 3, 4, 5, 710_000, UTC),
    properties=msgspec.Raw(b'{"revenue": 119.9, "currency": "EUR"}'),
)
EVENT_COLUMNS = columns_of(StoredEvent)
PAGE = EventPage(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 2, 1, 12, tzinfo=UTC),
    events=[EVENT],
    next_cursor=None,
)
BAD_CURSOR = FieldError(field="cursor", reason="is no cursor of this list", allowed="`next_cursor` of the page before.")


class EventsQuery(ReportQuery, kw_only=True):
    """The parameters of GET /events."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most: 1 to 1,000; left out: 100.")] = 100
    cursor: Annotated[str | None, Meta(description="`next_cursor` of the page before.")] = None


class ExportQuery(ReportQuery, kw_only=True):
    """The parameters of GET /events/export."""

    format: Annotated[  # one of those that rows have
        Literal["ndjson", "csv"] | None,
        Meta(description="`ndjson` or `csv`, whatever `Accept` says; left out: as `Accept` says, else `ndjson`."),
    ] = None


@report(
    "/events",
    scope=Scope.EVENTS_READ,
    query=EventsQuery,
    summary="List events",
    tags=["events"],
    example=PAGE,
    table="A page of them. As CSV or NDJSON: the events.",
    bad=BAD_CURSOR,
)
async def get_events(conn: ReadConnection, question: Question, query: EventsQuery) -> Table:
    """The events of a range as they are stored, the newest first, a page at a time.

    Events that are stored meanwhile do not shift the pages. For all events of a range see `GET /events/export`.
    """
    page = await events(conn, question, limit=query.limit, cursor=query.cursor)
    return Table(report=page, rows=page.events, columns=EVENT_COLUMNS)


@endpoint(
    "/events/export",
    scope=Scope.EVENTS_READ,
    query=ExportQuery,
    summary="Export events",
    tags=["events"],
    ok=ResponseSpec(
        data_container=str,
        description="All of them, a line each.",
        media_type=NDJSON,
        generate_examples=False,
        examples=[Example(value=encoded_rows([EVENT], EVENT_COLUMNS, NDJSON).decode())],
    ),
    tables={CSV: encoded_rows([EVENT], EVENT_COLUMNS, CSV).decode()},
    bad=BAD_CURSOR,
    others={
        503: problem_response(
            f"The database is unavailable, or {TOO_MANY}, or other reports take all turns; `Retry-After` says when to "
            "try again.",
            unavailable(TOO_MANY, retry_after=RETRY_EXPORT),
        ),
        504: UNANSWERED[504],
    },
)
async def export_events(request: Request[Any, Any, Any]) -> Stream:
    """All events of a range as they are stored, the oldest first, as NDJSON, or as CSV if `format` or `Accept` says so.

    They are those of one moment, however long it takes, and are sent as they are read. A response that is cut short has
    no regular end, which every HTTP client notices. A client that takes nothing for a minute is cut off.
    """
    query = read_report_query(request, ExportQuery)
    media_type = accepted(request, query.format, (NDJSON, CSV))
    await charge_long(request)
    parts = Parts(_export(resources_of(request), query, media_type), stall_timeout=STALL_TIMEOUT)
    try:
        await anext(parts)  # a refusal is raised before the response begins
    except BaseException:
        await parts.close()
        raise
    return Stream(
        parts,
        media_type=media_type,
        headers={"Cache-Control": "no-store", "Vary": "Accept"},
        background=BackgroundTask(parts.close),  # also runs if the client went away
    )


async def _export(resources: ReportingResources, query: ExportQuery, media_type: str) -> AsyncGenerator[bytes]:
    """The body in parts; an empty one first, as soon as nothing can be wrong any more. Raises Refusal."""
    if resources.exports.locked():
        raise unavailable(TOO_MANY, retry_after=RETRY_EXPORT)
    async with (
        resources.exports,
        long_connection(resources, query) as (conn, question),
        export(conn, question) as found,
    ):
        yield b""
        if media_type == CSV:
            yield encoded_rows([], EVENT_COLUMNS, media_type)
        async for some in found:
            yield encoded_rows(some, EVENT_COLUMNS, media_type, safe=query.safe, header=False)
