"""GET /events/{event_id}: what became of an event."""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get
from litestar.params import PathParameter

from actors.queue.producer import QueueUnavailable
from actors.queue.search import find_event
from apps.access.needs import needs
from apps.events.endpoints import EVENT_ID
from apps.reporting_resources import ReportingResources, resources_of
from apps.web.openapi import answer, operation
from apps.web.problems import DATABASE_UNAVAILABLE, problem_response, refuse, unavailable
from apps.web.query_params import read_query
from db.access.scopes import Scope
from db.events.errors import ALLOWED, FieldError
from db.events.event import SiteId
from db.ledger.event_status import Receipt, receipt

#: The `detail` if the queue could not be searched.
TOO_LONG = "the queue is too long to be searched in full: the event may be in it"
#: As unknown paths are told (apps/web/unknown_paths.py).
NO_UUID = (
    "the reporting API has no path '/events/7': there is no such event (in /events/{event_id}, event_id should be a "
    "UUID); /schema describes all paths"
)
CANNOT_LOOK = "the queue (Redis) cannot be asked now: the event may be in it"


class ReceiptQuery(msgspec.Struct, kw_only=True):
    """The parameters of GET /events/{event_id}."""

    site_id: SiteId


@get(
    "/events/{event_id:uuid}",
    opt=needs(Scope.OPERATIONS),
    summary="What became of an event",
    tags=["events"],
    operation_class=operation(query=ReceiptQuery, examples={"event_id": EVENT_ID}),
    responses={
        200: answer(
            "What is known of it.",
            Receipt(
                status="stored",
                event_time=datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC),
                received_at=datetime(2026, 1, 2, 3, 4, 5, 700_000, UTC),
                stored_at=datetime(2026, 1, 2, 3, 4, 5, 710_000, UTC),
                secret_key=True,
            ),
        ),
        400: problem_response(
            "A parameter is missing or not valid.",
            refuse(
                HTTPStatus.BAD_REQUEST,
                "a parameter is not valid",
                [FieldError(field="site_id", reason="is missing", allowed=ALLOWED["site_id"])],
            ),
        ),
        404: problem_response("The id is no UUID.", refuse(HTTPStatus.NOT_FOUND, NO_UUID)),
        503: problem_response(
            "The database is unavailable; `Retry-After` says when to try again.", unavailable(DATABASE_UNAVAILABLE)
        ),
    },
)
async def get_receipt(
    request: Request[Any, Any, Any], event_id: Annotated[UUID, PathParameter(description="The event's id.")]
) -> Receipt:
    """Says whether an event that was accepted with 202 is `queued`, `stored` or `dead`, or `unknown` here.

    `stored` and `dead` are certain. `queued` means that it was seen in the queue: it will be stored, or be a dead
    letter. `unknown` without a `detail` means that it is in none of these: it was never accepted, or its raw data is no
    longer kept. With a `detail` it may be in a part of the queue that could not be searched (64 MiB are).

    The id is the one that the client sent, or that the 202 told. Sent both with and without a secret key, it is that of
    two events: the response is about the one with the key, as `secret_key` says.
    """
    query = read_query(request, ReceiptQuery)
    resources = resources_of(request)
    if known := await _stored_or_dead(resources, query.site_id, event_id):
        return known
    try:
        found = await find_event(
            resources.producer, site_id=query.site_id, event_id=event_id, max_bytes=resources.max_searched
        )
    except QueueUnavailable:
        return Receipt(status="unknown", detail=CANNOT_LOOK)
    if found.received_at:
        return Receipt(status="queued", received_at=found.received_at, secret_key=found.secret_key)
    # It may have left the queue between the two looks.
    known = await _stored_or_dead(resources, query.site_id, event_id)
    return known or Receipt(status="unknown", detail=None if found.complete else TOO_LONG)


async def _stored_or_dead(resources: ReportingResources, site_id: str, event_id: UUID) -> Receipt | None:
    return await resources.read(partial(receipt, site_id=site_id, event_id=event_id))
