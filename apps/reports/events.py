"""GET /events and GET /events/export."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.background_tasks import BackgroundTask
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.response import Stream
from msgspec import Meta

from apps.reporting_resources import EXPORTS, ReportingResources, resources
from apps.reports.shared.asking import ask, asking_long
from apps.reports.shared.disconnects import UNANSWERED
from apps.reports.shared.query import FilteredQuery
from apps.reports.shared.responses import CSV, NDJSON, accepted, columns_of, encoded_rows, report_response
from apps.reports.shared.streaming import Parts
from apps.web.openapi import answer, operation
from apps.web.problems import problem_response, refuse, unavailable
from apps.web.query_params import read_query
from db.connections.pools import ReadConnection
from db.events.errors import FieldError
from db.reports.events import EventPage, StoredEvent, events, export
from db.reports.shared.report import Question

RETRY_EXPORT = 10
#: Seconds for which a client may take nothing of an export: its transaction keeps the server from tidying up.
PATIENCE = 60.0
TOO_MANY = f"{EXPORTS} exports are running, which is as many as may run at once"

EVENT = StoredEvent(
    event_id=UUID("019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f"),
    event_type="purchase",
    path="/checkout",
    user_id="customer-17",
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
BAD_PARAMETER = problem_response(
    "A parameter is missing or not valid.",
    refuse(
        HTTPStatus.BAD_REQUEST,
        "a parameter is not valid",
        [FieldError(field="cursor", reason="is no cursor of this list", allowed="`next_cursor` of the page before.")],
    ),
)


class EventsQuery(FilteredQuery, kw_only=True):
    """The parameters of GET /events."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most: 1 to 1,000; left out: 100.")] = 100
    cursor: Annotated[str | None, Meta(description="`next_cursor` of the page before.")] = None


class ExportQuery(FilteredQuery, kw_only=True):
    """The parameters of GET /events/export."""


@get(
    "/events",
    summary="List events",
    tags=["events"],
    operation_class=operation(query=EventsQuery),
    responses={
        200: answer("A page of them. As CSV or NDJSON: the events.", PAGE),
        400: BAD_PARAMETER,
        **UNANSWERED,
    },
)
async def get_events(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The events of a range as they are stored, the newest first, a page at a time.

    Events that are stored meanwhile do not shift the pages. For all events of a range see `GET /events/export`.
    """
    query = read_query(request, EventsQuery)

    async def read(conn: ReadConnection, as_of: datetime, asked: Question) -> EventPage:
        return await events(conn, asked, as_of=as_of, limit=query.limit, cursor=query.cursor)

    page = await ask(resources(request), query, read)
    return report_response(request, page, page.events, EVENT_COLUMNS, safe=query.safe)


@get(
    "/events/export",
    summary="Export events",
    tags=["events"],
    operation_class=operation(query=ExportQuery),
    responses={
        200: ResponseSpec(
            data_container=str,
            description="All of them, a line each.",
            media_type=NDJSON,
            generate_examples=False,
            examples=[Example(value=encoded_rows([EVENT], EVENT_COLUMNS, NDJSON).decode())],
        ),
        400: BAD_PARAMETER,
        503: problem_response(
            f"The database is away, or {TOO_MANY}, or other reports take all turns; `Retry-After` says when to try "
            "again.",
            unavailable(TOO_MANY, retry_after=RETRY_EXPORT),
        ),
        504: UNANSWERED[504],
    },
)
async def export_events(request: Request[Any, Any, Any]) -> Stream:
    """All events of a range as they are stored, the oldest first, as NDJSON, or as CSV if `Accept` asks for that.

    They are those of one moment, however long it takes, and are sent as they are read. An answer that was cut short has
    no regular end, which every HTTP client notices. Who takes nothing for a minute is cut off.
    """
    query = read_query(request, ExportQuery)
    media_type = accepted(request, (NDJSON, CSV))
    parts = Parts(_export(resources(request), query, media_type), patience=PATIENCE)
    try:
        await anext(parts)  # whatever refuses the request does so before the answer has begun
    except BaseException:
        await parts.close()
        raise
    return Stream(
        parts,
        media_type=media_type,
        headers={"Cache-Control": "no-store", "Vary": "Accept"},
        background=BackgroundTask(parts.close),  # also runs where the client went away
    )


async def _export(resources: ReportingResources, query: ExportQuery, media_type: str) -> AsyncGenerator[bytes]:
    """The body in parts; an empty one first, as soon as nothing can be wrong any more. Raises Refusal."""
    if resources.exports.locked():
        raise unavailable(TOO_MANY, retry_after=RETRY_EXPORT)
    async with (
        resources.exports,
        asking_long(resources, query) as (conn, asked),
        export(conn, asked) as found,
    ):
        yield b""
        if media_type == CSV:
            yield encoded_rows([], EVENT_COLUMNS, media_type)
        async for some in found:
            yield encoded_rows(some, EVENT_COLUMNS, media_type, safe=query.safe, header=False)
