"""Error responses: application/problem+json (RFC 9457), with a list of the invalid fields."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Meta

from actors.queue.producer import QueueUnavailable
from apps.web import unknown_paths
from apps.web.openapi import answer
from db.connections.errors import is_unavailable, was_cancelled
from db.connections.lending import AllInUse
from db.events.errors import BadParameter, FieldError, description

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
DATABASE_UNAVAILABLE = "the database (PostgreSQL) cannot answer now"
QUEUE_UNAVAILABLE = "the queue (Redis) cannot take anything now"
CANCELLED = "PostgreSQL ended the query: it exceeded statement_timeout or was cancelled"
#: The key in a request's scope of the Struct that its parameters were read as.
QUERY = "tjra.query"
#: Retry-After of a 503, in seconds.
RETRY_AFTER = 1


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a request failed."""

    title: Annotated[str, Meta(description="The status in words.", examples=["Bad Request"])]
    status: Annotated[int, Meta(description="The HTTP status.", examples=[400])]
    detail: Annotated[str, Meta(description="What is wrong.", examples=["the event is not valid"])]
    type: Annotated[str, Meta(description="Which kind of problem it is, where the status says too little.")] = (
        "about:blank"
    )
    errors: Annotated[list[FieldError], Meta(description="Each invalid field.")] = msgspec.field(default_factory=list)


class Refusal(Exception):
    """Ends a request with an error response."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = dict(headers or {})


def refuse(
    status: HTTPStatus,
    detail: str,
    errors: list[FieldError] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    """A Refusal with this status, to be raised."""
    return Refusal(Problem(title=status.phrase, status=status, detail=detail, errors=errors or []), headers)


def unavailable(detail: str, *, retry_after: int = RETRY_AFTER) -> Refusal:
    """A Refusal (503) for a temporary failure: the client only has to try again."""
    return refuse(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(retry_after)})


def refusal_for(error: Exception, query: type[msgspec.Struct] | None = None) -> Refusal:
    """The error response for an exception: the one place where exceptions become responses.

    query: the Struct of the request's parameters, whose descriptions say what is allowed.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, HTTPException):
        # The headers of 405 include Allow, which RFC 9110 requires.
        return refuse(HTTPStatus(error.status_code), error.detail, headers=error.headers)
    if isinstance(error, BadParameter):
        allowed = error.allowed or _allowed(error.name, query)
        told = FieldError(field=error.name, reason=error.reason, allowed=allowed)
        return refuse(HTTPStatus.BAD_REQUEST, error.detail, [told])
    if isinstance(error, QueueUnavailable):
        logger.warning("Redis cannot answer: %s", error)
        return unavailable(QUEUE_UNAVAILABLE)
    if was_cancelled(error):
        logger.warning("PostgreSQL ended a query: %s", error)
        return refuse(HTTPStatus.GATEWAY_TIMEOUT, CANCELLED)
    if isinstance(error, AllInUse):
        logger.warning("a request got no database connection: %s", error)
        return unavailable(str(error))
    if is_unavailable(error):
        logger.warning("PostgreSQL cannot answer: %s", error)
        return unavailable(DATABASE_UNAVAILABLE)
    logger.error("a request failed", exc_info=error)
    return refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "something failed here; the log says what")


def error_response(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of the Litestar apps."""
    scope: Any = request.scope
    if isinstance(error, HTTPException):
        error.detail = unknown_paths.told(request, error)
    refusal = refusal_for(error, scope.get(QUERY))
    return Response(
        msgspec.json.encode(refusal.problem),
        status_code=refusal.problem.status,
        media_type=MEDIA_TYPE,
        headers=refusal.headers,
    )


def _allowed(name: str, query: type[msgspec.Struct] | None) -> str:
    fields = msgspec.structs.fields(query) if query else ()
    return next((description(field.type) for field in fields if field.encode_name == name), "")


def problem_response(description: str, refusal: Refusal) -> ResponseSpec:
    """Document an error response in OpenAPI by an example."""
    return answer(description, refusal.problem, MEDIA_TYPE)
