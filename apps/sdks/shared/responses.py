"""The responses that SDKs expect: constants on success, and errors in their format."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from litestar import MediaType, Request, Response
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Meta

from apps.events.batcher import NOT_TAKEN
from apps.events.endpoints import MESSAGE_ID
from apps.sdks.shared.receive import BODY_BYTES, Outcome
from apps.web.openapi import answer
from apps.web.problems import Refusal, refusal_for, refuse, unavailable

CODES = {
    400: "invalid_request",
    401: "invalid_write_key",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "incomplete_request",
    413: "too_large",
    415: "unsupported_encoding",
    500: "internal_error",
    503: "unavailable",
}


class SdkError(msgspec.Struct):
    """Why a request failed. RudderStack's SDK for Python sends it again if one of the two fields is missing."""

    code: Annotated[str, Meta(examples=["invalid_write_key"])]
    message: Annotated[str, Meta(examples=["the key of the site is missing"])]


class SegmentAnswer(msgspec.Struct):
    """Success, for Segment and RudderStack."""

    success: Literal[True] = True


class JitsuAnswer(msgspec.Struct):
    """Success, for Jitsu."""

    ok: Literal[True] = True


class JitsuBatchAnswer(msgspec.Struct, rename="camel"):
    """Success, for a batch of Jitsu; dropped events are not errors."""

    received_events: Annotated[int, Meta(description="Number of events in the request.", examples=[1])]
    ok_events: Annotated[int, Meta(description="The same number.", examples=[1])]
    ok: Literal[True] = True


class PosthogAnswer(msgspec.Struct):
    """Success, for PostHog."""

    status: Literal[1] = 1


class EventResult(msgspec.Struct):
    """The outcome of an event."""

    result: Literal["ok", "drop"]


class PosthogResults(msgspec.Struct):
    """The outcome of each event, for PostHog's newer protocol."""

    results: Annotated[dict[str, EventResult], Meta(description="By the event's uuid.")]


class UmamiAnswer(msgspec.Struct):
    """Success, for Umami. Its script sends this text back in a header, so it must be a single line."""

    cache: Annotated[str, Meta(description="A constant.", examples=["x"])] = "x"


class UmamiBatchAnswer(msgspec.Struct):
    """Success, for a batch of Umami; dropped events are not errors."""

    size: Annotated[int, Meta(description="Number of events in the request.", examples=[1])]
    processed: Annotated[int, Meta(description="The same number.", examples=[1])]
    errors: Literal[0] = 0
    details: list[str] = []
    cache: str = "x"


def success(content: msgspec.Struct | str, outcome: Outcome) -> Response[Any]:
    """The response once the events are queued."""
    headers = {MESSAGE_ID: outcome.message_id} if outcome.message_id else {}
    if isinstance(content, str):
        return Response(content, status_code=HTTPStatus.ACCEPTED, media_type=MediaType.TEXT, headers=headers)
    return Response(content, headers=headers)


def sdk_error_response(_: Request[Any, Any, Any], error: Exception) -> Response[SdkError]:
    """The exception handler of the SDK endpoints."""
    refusal = refusal_for(error)
    if refusal.problem.status == HTTPStatus.TOO_MANY_REQUESTS:  # SDKs drop what is refused so, and send after a 503
        refusal = Refusal(msgspec.structs.replace(refusal.problem, status=503), refusal.headers)
    return Response(_sdk_error(refusal), status_code=refusal.problem.status, headers=refusal.headers)


def _sdk_error(refusal: Refusal) -> SdkError:
    return SdkError(code=CODES.get(refusal.problem.status, "error"), message=refusal.problem.detail)


ERRORS = {
    400: (
        "The body cannot be read. A bad event is not an error: it is dropped and counted in the metrics.",
        refuse(HTTPStatus.BAD_REQUEST, "the body cannot be read: batch is missing"),
    ),
    401: (
        "The key of the site is missing or unknown.",
        refuse(HTTPStatus.UNAUTHORIZED, "the key of the site is missing"),
    ),
    403: (
        "The secret write key is not for this site, or not for events.",
        refuse(HTTPStatus.FORBIDDEN, "the key is not for the site 'shop'"),
    ),
    404: ("There is no such call.", refuse(HTTPStatus.NOT_FOUND, "there is no call `tracks`")),
    408: (
        "The body did not arrive in time.",
        refuse(HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive within 30 s"),
    ),
    413: (
        "The body is too large, before or after decompression, or has too many events.",
        refuse(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body may have at most {BODY_BYTES:,} bytes, also when decompressed",
        ),
    ),
    415: (
        "The body is compressed with something other than gzip or zstd.",
        refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding should be gzip, zstd or left out"),
    ),
    503: (
        "The queue did not take the events, or is full: send them again after `Retry-After` seconds.",
        unavailable(NOT_TAKEN),
    ),
}


def error_responses(*statuses: int) -> Mapping[int, ResponseSpec]:
    """The documented errors: these, and those of every endpoint that takes events."""
    return {status: _documented(status) for status in (400, *statuses, 403, 408, 413, 415, 503)}


def _documented(status: int) -> ResponseSpec:
    description, refusal = ERRORS[status]
    return answer(description, _sdk_error(refusal))


KEY_REFUSED = {401: _documented(401)}
