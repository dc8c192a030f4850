"""POST /event and POST /events: what they accept, and how events get into the queue."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, post
from litestar.types import Receive, Scope
from msgspec import Meta

from apps.access.credentials import insufficient, invalid
from apps.access.needs import PUBLIC, needs
from apps.events.admission import Excluded
from apps.events.batcher import NOT_TAKEN
from apps.events.metrics import INVALID, count_refusal
from apps.events.resources import EventResources, events_of
from apps.events.responses import Accepted, BatchAccepted, Rejected, no_event_is_valid
from apps.events.validation import MAX_BATCH, encode
from apps.web.openapi import answer, json_schema, operation
from apps.web.problems import Refusal, problem_response, refuse, unavailable
from apps.web.query_params import read_query
from apps.web.request_body import read_body
from db.access.scopes import Scope as KeyScope
from db.events.errors import ALLOWED, FieldError
from db.events.event import Event

#: The response header with the id of the message that carries the events; the log of the worker that stores them has
#: the same id.
MESSAGE_ID = "X-Message-Id"
#: Largest body in bytes, before and after decompression.
EVENT_BYTES, BATCH_BYTES = 64 * 1024, 5 * 1024 * 1024

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")

#: Without an id and a time, so that each "try it out" counts as a new event in current reports.
EXAMPLE: dict[str, Any] = {
    "site_id": "shop",
    "event_type": "page_view",
    "path": "/products/lamp",
    "user_id": "customer-17",
    "visitor_id": "f0b3a1c2",
    "properties": {"referrer": "https://example.com/"},
}
#: The event id of the example response.
EVENT_ID = "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f"

JSON_EVENT = json_schema(Event)
EVENTS = {"type": "array", "items": JSON_EVENT, "minItems": 1, "maxItems": MAX_BATCH}
BATCH_BODIES: dict[str, tuple[dict[str, Any], Any]] = {
    "application/json": (
        {"oneOf": [EVENTS, {"type": "object", "properties": {"events": EVENTS}, "required": ["events"]}]},
        [
            {"site_id": "shop", "event_type": "page_view", "path": "/products/lamp", "visitor_id": "f0b3a1c2"},
            {"site_id": "shop", "event_type": "purchase", "path": "/checkout"}
            | {"user_id": "customer-17", "visitor_id": "f0b3a1c2"},
        ],
    ),
    NDJSON[0]: (
        {"type": "string", "description": "One JSON object per line."},
        msgspec.json.encode(EXAMPLE).decode() + "\n",
    ),
}

BAD_PATH = FieldError(field="path", reason="is missing", allowed=ALLOWED["path"])

REFUSALS = {
    401: problem_response("The key that was sent is not valid.", invalid()),
    403: problem_response(
        "The key is not for this site or not for events, or the site does not take events of this page.",
        insufficient("the key is not for the site 'shop'", KeyScope.EVENTS_WRITE),
    ),
    408: problem_response(
        "The body did not arrive in time.", refuse(HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive within 30 s")
    ),
    413: problem_response(
        "The body is too large, before or after decompression, or the batch too long.",
        refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a batch may hold 1,000 events; this one has 1,001"),
    ),
    415: problem_response(
        "The body is compressed with something other than gzip or zstd.",
        refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding should be gzip, zstd or left out"),
    ),
    503: problem_response(
        "The queue did not take the events, or is full: send them again after `Retry-After` seconds.",
        unavailable(NOT_TAKEN),
    ),
}


class BatchQuery(msgspec.Struct, kw_only=True):
    """The parameters of POST /events."""

    ids: Annotated[bool, Meta(description="Whether the response lists all event ids: true or false.")] = False


async def accept_event(events: EventResources, scope: Scope, receive: Receive) -> tuple[bytes, str]:
    """Queue the event of a request; return the response body and the message id. Raises Refusal."""
    admission = events.admission
    try:
        sender = admission.sender(scope)
        body = await read_body(scope, receive, limit=EVENT_BYTES, timeout=events.settings.body_timeout_seconds)
        event, ignored = events.validator.event(body)
        event_id = event.event_id  # by which the client knows it
        if admission.has_rules(sender, event.site_id):
            admission.admit(event, sender)
        events.deriving.complete(event, events.deriving.browser(scope))
    except Excluded as excluded:
        count_refusal(excluded.refusal)
        raise excluded.refusal from None
    except Refusal as refusal:
        count_refusal(refusal)
        raise
    message_id = await events.batcher.put(encode(event), {(event.site_id, event.received_at.date().isoformat()): 1})
    accepted = Accepted(event_id=event_id)
    if ignored:
        accepted.ignored_fields = list(ignored)
    return encode(accepted), message_id


@post(
    "/event",
    opt=needs(PUBLIC),
    security=[{}, {"key": []}],
    summary="Send an event",
    tags=["events"],
    status_code=HTTPStatus.ACCEPTED,
    operation_class=operation(body={"application/json": (JSON_EVENT, EXAMPLE)}),
    responses={
        202: answer("The event is in the queue.", Accepted(event_id=EVENT_ID)),
        400: problem_response(
            "The event is not valid; `errors` names each bad field.",
            refuse(HTTPStatus.BAD_REQUEST, "the event is not valid", [BAD_PATH]),
        ),
        **REFUSALS,
    },
)
async def post_event(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Accepts one event as JSON; the content type is ignored. Unknown fields are ignored, and so are parts of
    `properties`, `user_id` and `visitor_id` of the wrong type or that cannot be stored: `ignored_fields` names them.
    Half of a surrogate pair becomes U+FFFD, as does U+0000 in these three; elsewhere U+0000 is an error. Bytes that are
    not UTF-8 become U+FFFD, and `ignored_fields` names their field; an id with such bytes is left out.

    `visitor_id` is the browser or device, `user_id` whom the shop knows. An event with both links them: from then on,
    and for what came before, the visitor's events count for the user that they were first sent with.

    `agent` and `origin` say with what it was sent and where the visitor came from. What they leave out is derived: from
    the headers of a browser, and from the properties `utm_source` and so on, `referrer`, `url` and `timezone`.

    It needs no key. With a key of the scope `events:write` the event is one of the shop's own server, whose orders
    count also if the site has `secret_orders`.
    """
    # The fast path answers requests for exactly this path. Others, such as a path with a trailing slash, come here.
    body, message_id = await accept_event(events_of(request), request.scope, request.receive)
    return Response(body, media_type=MediaType.JSON, headers={MESSAGE_ID: message_id})


@post(
    "/events",
    opt=needs(PUBLIC),
    security=[{}, {"key": []}],
    summary="Send a batch of events",
    tags=["events"],
    status_code=HTTPStatus.ACCEPTED,
    operation_class=operation(query=BatchQuery, body=BATCH_BODIES),
    responses={
        202: answer(
            "The events are in the queue, except those listed as rejected.",
            BatchAccepted(accepted=498, rejected=[Rejected(index=7, errors=[BAD_PATH])]),
        ),
        400: problem_response(
            "The batch cannot be read, or no event in it is valid.",
            no_event_is_valid([Rejected(index=0, errors=[BAD_PATH])]),
        ),
        **REFUSALS,
    },
)
async def post_events(request: Request[Any, Any, Any]) -> Response[BatchAccepted]:
    """Accepts up to 1,000 events: a JSON array, an object with that array as `events`, or one JSON object per line
    (content type `application/x-ndjson`).

    A bad event does not affect the others: the response lists each rejected event by its index, with the reasons.
    Parts of accepted events that were ignored, as in `POST /event`, are in `ignored_fields`.

    It needs no key; one of the scope `events:write` is as in `POST /event`. Events of sites that are not the key's are
    rejected.
    """
    query, events = read_query(request, BatchQuery), events_of(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        sender = events.admission.sender(request.scope)
        timeout = events.settings.body_timeout_seconds
        body = await read_body(request.scope, request.receive, limit=BATCH_BYTES, timeout=timeout)
        batch = await events.validator.batch_in_slices(body, ndjson=media_type in NDJSON)
        events.admission.admit_batch(batch, sender)
        browser = events.deriving.browser(request.scope)
        for event in batch.accepted:
            events.deriving.complete(event, browser)
    except Refusal as refusal:
        count_refusal(refusal)
        raise
    INVALID.inc(len(batch.rejected))
    message_id = await events.batcher.put(batch.events(), batch.counts)
    return Response(batch.answer(ids=query.ids), headers={MESSAGE_ID: message_id})
