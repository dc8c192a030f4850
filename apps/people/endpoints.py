"""GET /people/{user_id}/export, DELETE /people/{user_id} and GET /erasures/{erasure_id}."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

import msgspec
from litestar import HttpMethod, Request, Response, delete, get, route
from litestar.background_tasks import BackgroundTask
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import PathParameter
from litestar.response import Stream

from apps.access.guard import identity_of
from apps.access.needs import PUBLIC, needs
from apps.people import operations, sample
from apps.reporting_resources import resources_of
from apps.reports.shared.responses import NDJSON
from apps.reports.shared.streaming import Parts
from apps.web.openapi import answer, operation
from apps.web.problems import DATABASE_UNAVAILABLE, QUEUE_UNAVAILABLE, problem_response, refuse, unavailable
from apps.web.query_params import read_query
from apps.web.request_path import own_raw_path
from db.access.scopes import Scope
from db.events.errors import ALLOWED, BadParameter, FieldError
from db.events.event import SiteId
from db.events.limits import text_fault
from db.people.receipts import Erasure

PREFIX, EXPORT = b"/people/", b"/export"
#: Seconds for which a client may take nothing of an export: its open transaction holds up vacuum.
STALL_TIMEOUT = 60.0
OF_SAMPLE = {"user_id": sample.USER_ID}
BY_SITE = needs(Scope.PRIVACY_WRITE, by_site=True)
UserId = PathParameter(
    description="The person's user id, percent-encoded where it is not letters and digits: `a%2Fb`. The person of the "
    "example is in no site: to erase them does nothing."
)


class PersonQuery(msgspec.Struct, kw_only=True):
    """The parameters of all of them."""

    site_id: SiteId


BAD = problem_response(
    "A parameter is missing or not valid.",
    refuse(
        HTTPStatus.BAD_REQUEST,
        "a parameter is not valid",
        [FieldError(field="site_id", reason="is missing", allowed=ALLOWED["site_id"])],
    ),
)
NO_SITE = problem_response("There is no such site.", operations.no_site("shop"))
WAITING = msgspec.structs.replace(
    sample.RECEIPT, begun_at=None, done_at=None, erased={}, holds_until=None, vacuumed_at=None, redis_rewritten_at=None
)
EXPORTED: dict[int, ResponseSpec] = {
    200: ResponseSpec(
        data_container=str,
        description="All of it, a line each; the first line says what it is.",
        media_type=NDJSON,
        generate_examples=False,
        examples=[Example(value=sample.EXPORT.decode())],
    ),
    400: BAD,
    404: NO_SITE,
    503: problem_response(
        f"The database is unavailable, or {operations.TOO_MANY}; `Retry-After` says when to try again.",
        unavailable(operations.TOO_MANY, retry_after=operations.RETRY_EXPORT),
    ),
}


@get(
    "/people/{user_id:str}/export",
    opt=BY_SITE,
    summary="Export a person",
    tags=["people"],
    operation_class=operation(query=PersonQuery, examples=OF_SAMPLE),
    responses=EXPORTED,
)
async def export_person(
    request: Request[Any, Any, Any],
    user_id: Annotated[str, UserId],  # noqa: ARG001 (it is documented by this, and read by _person)
) -> Stream:
    """All that is kept of a person, as NDJSON: a first line with counts by kind; then their number, events, sessions,
    packed months, orders, dead letters, and events that wait in the queue.

    It is of one moment, and sent as it is read. For somebody of whom nothing is kept all counts are zero. Each export
    is in the audit, without the id.
    """
    return await _export(request)


@get("/people/{user_id:path}", opt=BY_SITE, include_in_schema=False)
async def export_person_of_any_id(
    request: Request[Any, Any, Any],
    user_id: Annotated[Path, UserId],  # noqa: ARG001
) -> Stream:
    """The same, for an id with slashes. A path takes all that follows, and so what is not an export too."""
    return await _export(request)


@route(
    "/people/{user_id:path}",
    http_method=HttpMethod.OPTIONS,
    include_in_schema=False,
    sync_to_thread=False,
    opt=needs(PUBLIC),
    status_code=HTTPStatus.NO_CONTENT,
)
def person_options(request: Request[Any, Any, Any]) -> Response[None]:
    """The methods of one of the two paths that the router takes for one."""
    methods = "GET, OPTIONS" if own_raw_path(request.scope).removeprefix(PREFIX).endswith(EXPORT) else "DELETE, OPTIONS"
    return Response(None, status_code=HTTPStatus.NO_CONTENT, headers={"Allow": methods})


@delete(
    "/people/{user_id:path}",
    opt=BY_SITE,
    summary="Erase a person",
    tags=["people"],
    status_code=HTTPStatus.OK,
    operation_class=operation(query=PersonQuery, examples=OF_SAMPLE),
    responses={
        200: answer("It is done: the receipt.", sample.RECEIPT),
        202: answer("The request is in the queue, and not done yet: `GET /erasures/{erasure_id}` shows it.", WAITING),
        400: BAD,
        404: NO_SITE,
        503: problem_response(
            "The database or the queue is unavailable; `Retry-After` says when to try again.",
            unavailable(QUEUE_UNAVAILABLE),
        ),
    },
)
async def delete_person(
    request: Request[Any, Any, Any],
    user_id: Annotated[Path, UserId],  # noqa: ARG001 (it is documented by this, and read by _person)
) -> Response[Erasure]:
    """Erases a person: nothing names them any more, and the counts of all reports stay what they were.

    A random pseudonym takes the place of their id. Personal fields go from their events, and what holds their id goes
    from all events of the site. Events that were accepted before and come later are caught for 30 days. This cannot be
    undone. Somebody who comes back is a new person. The receipt says what remains for how long.
    """
    if (
        own_raw_path(request.scope).removeprefix(PREFIX).endswith(EXPORT)
    ):  # who means a person of that name sends %2Fexport
        raise refuse(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "this path takes GET and HEAD only; /schema describes all paths",
            headers={"Allow": "GET, HEAD, OPTIONS"},
        )
    query = read_query(request, PersonQuery)
    receipt = await operations.erase(
        resources_of(request), site_id=query.site_id, user_id=_person(request), by=str(identity_of(request))
    )
    return Response(receipt, status_code=HTTPStatus.OK if receipt.done_at else HTTPStatus.ACCEPTED)


@get(
    "/erasures/{erasure_id:uuid}",
    opt=BY_SITE,
    summary="The receipt of an erasure",
    tags=["people"],
    operation_class=operation(query=PersonQuery, examples={"erasure_id": str(sample.RECEIPT.erasure_id)}),
    responses={
        200: answer("The receipt.", sample.RECEIPT),
        400: BAD,
        404: problem_response(
            "There is no such erasure.", refuse(HTTPStatus.NOT_FOUND, "site 'shop' has no such erasure")
        ),
        503: problem_response(
            "The database is unavailable; `Retry-After` says when to try again.", unavailable(DATABASE_UNAVAILABLE)
        ),
    },
)
async def get_erasure(
    request: Request[Any, Any, Any], erasure_id: Annotated[UUID, PathParameter(description="The erasure's id.")]
) -> Erasure:
    """What was erased where, when and by whom, and what remains for how long. It does not name the person."""
    query = read_query(request, PersonQuery)
    return await operations.show(resources_of(request), site_id=query.site_id, erasure_id=erasure_id)


async def _export(request: Request[Any, Any, Any]) -> Stream:
    raw = own_raw_path(request.scope)
    if not raw.endswith(EXPORT):
        raise refuse(HTTPStatus.NOT_FOUND, "there is GET /people/{user_id}/export and DELETE /people/{user_id}")
    query = read_query(request, PersonQuery)
    lines = operations.export(
        resources_of(request),
        site_id=query.site_id,
        user_id=_person(request, raw.removesuffix(EXPORT)),
        by=str(identity_of(request)),
    )
    parts = Parts(lines, stall_timeout=STALL_TIMEOUT)
    try:
        await anext(parts)  # a refusal is raised before the response begins
    except BaseException:
        await parts.close()
        raise
    headers = {"Cache-Control": "no-store"}
    return Stream(parts, media_type=NDJSON, headers=headers, background=BackgroundTask(parts.close))


def _person(request: Request[Any, Any, Any], raw: bytes | None = None) -> str:
    """The person as they were sent: the router's own path parameter has lost its outer and double slashes."""
    raw = own_raw_path(request.scope) if raw is None else raw
    try:
        user_id = unquote_to_bytes(raw.removeprefix(PREFIX)).decode()
    except UnicodeDecodeError:
        raise BadParameter("user_id", "holds what is not UTF-8", ALLOWED["user_id"]) from None
    if fault := "is empty" if not user_id else text_fault("user_id", user_id):
        raise BadParameter("user_id", fault, ALLOWED["user_id"])
    return user_id
