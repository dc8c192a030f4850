"""POST /event and POST /events: what they take, and how that gets into the queue."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import Receive, Scope
from msgspec import Meta

import actors
from apps.acceptance import MAX_BATCH, Acceptance, Accepted, BatchAccepted, BatchProblem, encode
from apps.bodies import read_body
from apps.inbox import Inbox
from apps.openapi import json_schema, operation
from apps.parameters import read_query
from apps.problems import problem_answer
from db.event import Event
from db.settings import load

#: Bytes of a body, before and after decompression.
EVENT_BYTES, BATCH_BYTES = 64 * 1024, 5 * 1024 * 1024

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")

EXAMPLE = {
    "site_id": "shop",
    "event_type": "page_view",
    "path": "/products/lamp",
    "user_id": "customer-17",
    "timestamp": "2026-01-02T03:04:05.678Z",
    "event_id": "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f",
    "properties": {"referrer": "https://example.com/"},
}

BATCH_BODIES: dict[str, tuple[dict[str, Any], Any]] = {
    "application/json": (
        {
            "oneOf": [
                {"type": "array", "items": json_schema(Event), "minItems": 1, "maxItems": MAX_BATCH},
                {"type": "object", "properties": {"events": {"type": "array"}}, "required": ["events"]},
            ]
        },
        [EXAMPLE, {"site_id": "shop", "event_type": "purchase", "path": "/checkout", "user_id": "customer-17"}],
    ),
    NDJSON[0]: (
        {"type": "string", "description": "A JSON object a line."},
        msgspec.json.encode(EXAMPLE).decode() + "\n",
    ),
}

REFUSALS = {
    408: problem_answer("The body did not arrive in time."),
    413: problem_answer("The body is too large, before or after decompression, or the batch too long."),
    415: problem_answer("The body is compressed with something other than gzip or zstd."),
    503: problem_answer("The queue did not take it; `Retry-After` says when to send it again."),
}

acceptance = Acceptance(load())
inbox = Inbox(actors.queue_events)


class BatchQuery(msgspec.Struct, kw_only=True):
    """The parameters of POST /events."""

    ids: Annotated[bool, Meta(description="Whether the answer lists all event ids: true or false.")] = False


async def accept_event(scope: Scope, receive: Receive) -> bytes:
    """Take the event of a request: the answer's body, once the queue has it. Raises Refusal or ClientGone."""
    event = acceptance.event(await read_body(scope, receive, limit=EVENT_BYTES))
    await inbox.put(encode(event))
    return encode(Accepted(event_id=event.event_id))


@post(
    "/event",
    summary="Send an event",
    tags=["events"],
    status_code=HTTPStatus.ACCEPTED,
    operation_class=operation(body={"application/json": (json_schema(Event), EXAMPLE)}),
    responses={
        202: ResponseSpec(data_container=Accepted, description="The event is in the queue.", generate_examples=False),
        400: problem_answer("The event is not valid; `errors` names each bad field."),
        **REFUSALS,
    },
)
async def post_event(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Takes one event, as JSON whatever the content type says; fields that are not listed are ignored.

    Requests for exactly this path take the short way (ShortWay) and do not come here; others, as behind a proxy that
    adds a prefix, do.
    """
    return Response(await accept_event(request.scope, request.receive), media_type=MediaType.JSON)


@post(
    "/events",
    summary="Send a batch of events",
    tags=["events"],
    status_code=HTTPStatus.ACCEPTED,
    operation_class=operation(query=BatchQuery, body=BATCH_BODIES),
    responses={
        202: ResponseSpec(
            data_container=BatchAccepted,
            description="The events are in the queue, except those listed as rejected.",
            generate_examples=False,
        ),
        400: problem_answer("The batch cannot be read, or no event in it is valid.", BatchProblem),
        **REFUSALS,
    },
)
async def post_events(request: Request[Any, Any, Any]) -> BatchAccepted:
    """Takes up to 1,000 events: a JSON array, an object with such an array as `events`, or JSON objects line by line
    (content type `application/x-ndjson`).

    One bad event never keeps its neighbours out: the answer lists each that was refused by its index, and says why.
    """
    query = read_query(request, BatchQuery)
    body = await read_body(request.scope, request.receive, limit=BATCH_BYTES)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    batch = acceptance.batch(body, ndjson=media_type in NDJSON)
    await inbox.put(b",".join(batch.accepted))
    return batch.answer(ids=query.ids)
