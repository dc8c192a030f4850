"""What SDKs are answered: constants that keep them content, and errors in the words that they look for."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from litestar import MediaType, Request, Response
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Meta

from apps.events.batcher import NOT_TAKEN
from apps.events.endpoints import MESSAGE_ID
from apps.sdks.shared.receive import BODY_BYTES, Taken
from apps.web.openapi import answer
from apps.web.problems import Refusal, refusal_for, refuse, unavailable

CODES = {
    400: "invalid_request",
    401: "invalid_write_key",
    404: "not_found",
    405: "method_not_allowed",
    408: "incomplete_request",
    413: "too_large",
    415: "unsupported_encoding",
    500: "internal_error",
    503: "unavailable",
}


class SdkError(msgspec.Struct):
    """Why a request was not done. RudderStack's SDK for Python sends it again where one of the two is missing."""

    code: Annotated[str, Meta(examples=["invalid_write_key"])]
    message: Annotated[str, Meta(examples=["the key of the site is missing"])]


class SegmentAnswer(msgspec.Struct):
    """All is well, for Segment and RudderStack."""

    success: Literal[True] = True


class JitsuAnswer(msgspec.Struct):
    """All is well, for Jitsu."""

    ok: Literal[True] = True


class JitsuBatchAnswer(msgspec.Struct, rename="camel"):
    """All is well, for a batch of Jitsu: what is no event of ours is no error."""

    received_events: Annotated[int, Meta(description="Events of the request.", examples=[1])]
    ok_events: Annotated[int, Meta(description="The same.", examples=[1])]
    ok: Literal[True] = True


class PosthogAnswer(msgspec.Struct):
    """All is well, for PostHog."""

    status: Literal[1] = 1


class EventResult(msgspec.Struct):
    """What became of an event."""

    result: Literal["ok", "drop"]


class PosthogResults(msgspec.Struct):
    """What became of each event, for PostHog's newer protocol."""

    results: Annotated[dict[str, EventResult], Meta(description="By the event's uuid.")]


class UmamiAnswer(msgspec.Struct):
    """All is well, for Umami, whose script sends this text back in a header: it has to be a single line."""

    cache: Annotated[str, Meta(description="A constant.", examples=["x"])] = "x"


class UmamiBatchAnswer(msgspec.Struct):
    """All is well, for a batch of Umami: what is no event of ours is no error."""

    size: Annotated[int, Meta(description="Events of the request.", examples=[1])]
    processed: Annotated[int, Meta(description="The same.", examples=[1])]
    errors: Literal[0] = 0
    details: list[str] = []
    cache: str = "x"


def done(content: msgspec.Struct | str, taken: Taken) -> Response[Any]:
    """The answer once the events are taken."""
    headers = {MESSAGE_ID: taken.message_id} if taken.message_id else {}
    if isinstance(content, str):
        return Response(content, status_code=HTTPStatus.ACCEPTED, media_type=MediaType.TEXT, headers=headers)
    return Response(content, headers=headers)


def sdk_error_response(_: Request[Any, Any, Any], error: Exception) -> Response[SdkError]:
    """Litestar's handler for every error of these endpoints."""
    refusal = refusal_for(error)
    return Response(_sdk_error(refusal), status_code=refusal.problem.status, headers=refusal.headers)


def _sdk_error(refusal: Refusal) -> SdkError:
    return SdkError(code=CODES.get(refusal.problem.status, "error"), message=refusal.problem.detail)


ERRORS = {
    400: (
        "The body cannot be read. One bad event is not a reason: it is dropped and counted in the metrics.",
        refuse(HTTPStatus.BAD_REQUEST, "the body cannot be read: batch is missing"),
    ),
    401: (
        "The key of the site is missing or unknown.",
        refuse(HTTPStatus.UNAUTHORIZED, "the key of the site is missing"),
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
            f"a body here may have {BODY_BYTES:,} bytes, also when decompressed",
        ),
    ),
    415: (
        "The body is compressed with something other than gzip or zstd.",
        refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding should be gzip, zstd or left out"),
    ),
    503: (
        "The queue did not take it, or is full; `Retry-After` says when to send it again.",
        unavailable(NOT_TAKEN),
    ),
}


def error_responses(*statuses: int) -> Mapping[int, ResponseSpec]:
    """How these errors are documented, and those that every endpoint has which takes events."""
    return {status: _documented(status) for status in (400, *statuses, 408, 413, 415, 503)}


def _documented(status: int) -> ResponseSpec:
    description, refusal = ERRORS[status]
    return answer(description, _sdk_error(refusal))


KEY_REFUSED = {401: _documented(401)}
