"""The endpoints of the SDKs of Segment, RudderStack and Jitsu."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.params import PathParameter

from apps.sdks.segment.parser import CALLS, parse_batch, parse_call
from apps.sdks.shared.receive import receive_events
from apps.sdks.shared.resources import sdks_of
from apps.sdks.shared.responses import (
    KEY_REFUSED,
    JitsuAnswer,
    JitsuBatchAnswer,
    SegmentAnswer,
    error_responses,
    success,
)
from apps.web.openapi import OBJECT, answer, operation
from apps.web.problems import refuse

#: Without `messageId` and `timestamp`, which SDKs set, so that each request from the UI counts.
EXAMPLE: dict[str, Any] = {
    "type": "track",
    "userId": "customer-17",
    "anonymousId": "f0b3a1c2",
    "event": "Order Completed",
    "properties": {"revenue": 119.9, "currency": "EUR"},
    "context": {"page": {"url": "https://shop.example/checkout"}},
}
BATCH = {
    "type": "object",
    "properties": {"batch": {"type": "array", "items": OBJECT}, "writeKey": {"type": "string"}},
    "required": ["batch"],
}

Call = Annotated[
    str,
    PathParameter(
        description="The type of the event, or its first letter.",
        schema_extra={"enum": [*CALLS.values(), *CALLS]},
    ),
]
JitsuCall = Annotated[
    str, PathParameter(description="The type of the event.", schema_extra={"enum": [*CALLS.values()]})
]
Key = Annotated[str, PathParameter(description="The key of the site.")]


class SegmentIo(msgspec.Struct, rename="camel"):
    """Where Segment's browser SDK sends events."""

    api_key: str
    api_host: str
    protocol: Literal["http", "https"]


class Integrations(msgspec.Struct, rename={"segment": "Segment.io"}):
    """The destinations of Segment's browser SDK: only this server."""

    segment: SegmentIo


class NoMetrics(msgspec.Struct, rename="camel", frozen=True):
    """Switches off the metrics that the SDK sends to Segment about itself."""

    sample_rate: Literal[0] = 0


class SegmentSettings(msgspec.Struct):
    """The settings that Segment's browser SDK requests."""

    integrations: Integrations
    metrics: NoMetrics = NoMetrics()
    plan: dict[str, Any] = {}


async def take_batch(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accepts up to 2,500 events of the server SDKs of Segment and RudderStack; the content type is ignored. The write
    key is the user of basic authorization, otherwise `writeKey`; it is the key of the site (SITE_KEYS), by default its
    site_id. `messageId` makes it safe to send an event again. If `sentAt` shows that the sender's clock is off, times
    are corrected by it. `userId` becomes `user_id`, and `anonymousId` (of an alias `previousId`) `visitor_id`; with
    neither, a visitor gets an id for a day from `context.ip`. A `type` that Segment does not have is dropped and
    counted.

    `/v1/b`, `/v1/import` and `/beacon/v1/batch` are the same; the last one has its key in the URL as `writeKey`.
    """
    return success(SegmentAnswer(), await receive_events(request, "segment", parse_batch))


segment_batch = post(
    "/v1/batch",
    summary="Segment, RudderStack: a batch",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(body={"application/json": (BATCH, {"writeKey": "shop", "batch": [EXAMPLE]})}),
    responses={200: answer("The events are in the queue.", SegmentAnswer()), **error_responses(401)},
)(take_batch)
segment_batch_aliases = post(
    ["/v1/b", "/v1/import", "/beacon/v1/batch"], status_code=HTTPStatus.OK, include_in_schema=False
)(take_batch)


@post(
    "/v1/{call:str}",
    summary="Segment, RudderStack: an event",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(
        body={"application/json": (OBJECT, EXAMPLE | {"writeKey": "shop"})}, examples={"call": "track"}
    ),
    responses={200: answer("The event is in the queue.", SegmentAnswer()), **error_responses(401, 404)},
)
async def segment_call(request: Request[Any, Any, Any], call: Call) -> Response[Any]:
    """Accepts one event of Segment's browser SDK or its HTTP API; otherwise as `/v1/batch`."""
    return success(SegmentAnswer(), await receive_events(request, "segment", partial(parse_call, call=_call(call))))


async def take_jitsu(request: Request[Any, Any, Any], call: JitsuCall) -> Response[Any]:
    """Accepts one event in Segment's format. The key is `X-Write-Key` up to its colon.

    `/api/s/s2s/{call}` is the same.
    """
    return success(JitsuAnswer(), await receive_events(request, "segment", partial(parse_call, call=_call(call))))


jitsu_call = post(
    "/api/s/{call:str}",
    summary="Jitsu: an event",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(
        body={"application/json": (OBJECT, EXAMPLE | {"writeKey": "shop"})}, examples={"call": "track"}
    ),
    responses={200: answer("The event is in the queue.", JitsuAnswer()), **error_responses(401, 404)},
)(take_jitsu)
jitsu_server_call = post("/api/s/s2s/{call:str}", status_code=HTTPStatus.OK, include_in_schema=False)(take_jitsu)


@post(
    "/api/s/s2s/batch",
    summary="Jitsu: a batch",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(body={"application/json": (BATCH, {"writeKey": "shop", "batch": [EXAMPLE]})}),
    responses={200: answer("The events are in the queue.", JitsuBatchAnswer(1, 1)), **error_responses(401)},
)
async def jitsu_batch(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accepts up to 2,500 events in Segment's format. The key is `X-Write-Key` up to its colon, otherwise as in
    `/v1/batch`.
    """
    return await take_jitsu_batch(request)


async def take_jitsu_batch(request: Request[Any, Any, Any]) -> Response[Any]:
    """`/api/s/batch` is the same."""
    outcome = await receive_events(request, "segment", parse_batch)
    return success(JitsuBatchAnswer(outcome.size, outcome.size), outcome)


jitsu_batch_alias = post("/api/s/batch", status_code=HTTPStatus.OK, include_in_schema=False)(take_jitsu_batch)


@get(
    "/v1/projects/{key:str}/settings",
    summary="Segment: settings of the browser SDK",
    tags=["SDKs"],
    sync_to_thread=False,
    operation_class=operation(examples={"key": "shop"}),
    responses={
        200: answer(
            "Where to send events.",
            SegmentSettings(
                Integrations(SegmentIo(api_key="shop", api_host="events.shop.example/v1", protocol="https"))
            ),
        ),
        **KEY_REFUSED,
    },
)
def segment_settings(request: Request[Any, Any, Any], key: Key) -> SegmentSettings:
    """Tells Segment's snippet, with this server as its `cdnURL`, to send events to this server."""
    sdks_of(request).check_key(key)
    protocol: Literal["http", "https"] = "http" if request.url.scheme == "http" else "https"
    return SegmentSettings(Integrations(SegmentIo(key, f"{request.url.netloc}/v1", protocol)))


def _call(given: str) -> str:
    """The call in a URL. Raises Refusal (404)."""
    call = CALLS.get(given, given)
    if call not in CALLS.values():
        raise refuse(
            HTTPStatus.NOT_FOUND, f"there is no call {given!r}: it should be one of {', '.join(CALLS.values())}"
        )
    return call
