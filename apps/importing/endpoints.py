"""PUT /imports/{id} and GET /imports/{id}/outcome: remember imports of files, and what became of their events."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, put
from litestar.params import PathParameter
from msgspec import Meta

from actors.imports import queue_import
from apps.access.needs import needs
from apps.reporting_resources import resources_of
from apps.web.openapi import answer, json_schema, operation
from apps.web.problems import DATABASE_UNAVAILABLE, QUEUE_UNAVAILABLE, problem_response, refuse, unavailable
from apps.web.query_params import read_query
from apps.web.request_body import read_body
from db.access.scopes import Scope
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.events.event import SiteId
from db.events.reasons import sentence
from db.events.tolerant_json import UNREADABLE
from db.ledger.imports import Import, ImportedFile, ImportId, KnownImport, progress, read_import

#: Bytes of a body: messages of an import of 100 million rows.
BODY_BYTES = 16 * 1024 * 1024
#: Messages are known as settled for some days: after one, all of them are.
SETTLED_AFTER = timedelta(days=1)

IDS = "12 hexadecimal digits (lower case)"
Id = Annotated[str, PathParameter(description=f"The import's id: {IDS}.", pattern="^[0-9a-f]{12}$")]
#: The import of the documentation's examples: in no list and no database, so that to remember it does nothing.
EXAMPLE = {"import_id": "3f9a2c0b7d15"}
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class ImportQuery(msgspec.Struct, kw_only=True):
    """The parameters of both."""

    site_id: SiteId


class ImportOutcome(msgspec.Struct, kw_only=True):
    """What became of the events of an import."""

    import_id: ImportId
    sent: Annotated[int, Meta(description="Events that were sent.", examples=[1200])]
    waiting: Annotated[int, Meta(description="Messages with its events that are not settled yet; 0: the rest is sure.")]
    stored: Annotated[int, Meta(description="Its events that were new, and are there.")]
    dead: Annotated[int, Meta(description="Its events that could not be stored: dead letters.")]
    ended_at: Annotated[datetime | None, Meta(description="When it ended; null: it runs, or was killed.")]
    undone_at: Annotated[datetime | None, Meta(description="When it was taken back.")]


BODY = Import(
    files=[ImportedFile(name="orders.csv", rows=1201)], began_at=NOON, ended_at=NOON, read=1201, sent=1200,
    first_time=NOON, last_time=NOON,
)  # fmt: skip
OUTCOME = ImportOutcome(
    import_id=EXAMPLE["import_id"], sent=1200, waiting=0, stored=1190, dead=0, ended_at=NOON, undone_at=None
)
BAD = problem_response(
    "A parameter or the body is not valid.",
    refuse(
        HTTPStatus.BAD_REQUEST,
        "a parameter is not valid",
        [FieldError(field="import_id", reason="is no such id", allowed=IDS)],
    ),
)


class Noted(msgspec.Struct, kw_only=True):
    """An import will be remembered."""

    import_id: ImportId


@put(
    "/{import_id:str}",
    summary="Remember an import",
    status_code=HTTPStatus.ACCEPTED,
    operation_class=operation(
        query=ImportQuery,
        examples=EXAMPLE,
        body={"application/json": (json_schema(Import), msgspec.json.decode(msgspec.json.encode(BODY)))},
    ),
    responses={
        202: answer("The request is in the queue.", Noted(import_id=EXAMPLE["import_id"])),
        400: BAD,
        503: problem_response(
            "The queue is unavailable; send it again after `Retry-After`.", unavailable(QUEUE_UNAVAILABLE)
        ),
    },
)
async def put_import(request: Request[Any, Any, Any], import_id: Id) -> Response[Noted]:
    """Remembers an import of files, as `tjra import` reports it before and after. The events of an import have its id
    as the property `import_id`; a request after an `ended_at` changes nothing. Sent by hand it makes an entry in
    `tjra imports`, and no event. The import of the example is in no list: to remember it does nothing."""
    query = read_query(request, ImportQuery)
    check(import_id)
    resources = resources_of(request)
    timeout = resources.settings.body_timeout_seconds
    body = await read_body(request.scope, request.receive, limit=BODY_BYTES, timeout=timeout)
    try:
        one = msgspec.json.decode(body, type=Import)
        if "\0" in "".join([*one.options, *(file.name for file in one.files)]):
            raise ValueError("a text holds U+0000")
    except UNREADABLE as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"the body is no import: {sentence(error)}") from None
    if import_id != EXAMPLE["import_id"]:
        await queue_import(resources.producer, query.site_id, import_id, one)
    return Response(Noted(import_id=import_id), status_code=HTTPStatus.ACCEPTED)


@get(
    "/{import_id:str}/outcome",
    summary="What became of an import",
    operation_class=operation(query=ImportQuery, examples=EXAMPLE),
    responses={
        200: answer("The import.", OUTCOME),
        400: BAD,
        404: problem_response("There is no such import.", refuse(HTTPStatus.NOT_FOUND, "there is no such import")),
        503: problem_response(
            "The database is unavailable; `Retry-After` says when to try again.", unavailable(DATABASE_UNAVAILABLE)
        ),
    },
)
async def get_import(request: Request[Any, Any, Any], import_id: Id) -> ImportOutcome:
    """Tells how many of an import's events were new. Those that were sent and are neither stored nor dead once nothing
    is `waiting` were there before. The import of the example can always be asked for."""
    query = read_query(request, ImportQuery)
    check(import_id)
    if import_id == EXAMPLE["import_id"]:
        return OUTCOME

    async def outcome(conn: ReadConnection) -> tuple[KnownImport, tuple[int, int, int]]:
        one = await read_import(conn, query.site_id, import_id)
        if one is None:
            raise refuse(HTTPStatus.NOT_FOUND, f"site {query.site_id!r} has no import {import_id}")
        return one, await progress(conn, query.site_id, one)

    one, (settled, stored, dead) = await resources_of(request).read(outcome)
    long_ago = one.ended_at is not None and datetime.now(UTC) - one.ended_at > SETTLED_AFTER
    return ImportOutcome(
        import_id=import_id,
        sent=one.sent,
        waiting=0 if long_ago else len(one.messages) - settled,
        stored=stored,
        dead=dead,
        ended_at=one.ended_at,
        undone_at=one.undone_at,
    )


def check(import_id: str) -> None:
    """Raises BadParameter where this cannot be an import's id."""
    try:
        msgspec.convert(import_id, ImportId)
    except msgspec.ValidationError:
        raise BadParameter("import_id", "is no such id", IDS) from None


router = Router(
    "/imports", route_handlers=[put_import, get_import], tags=["imports"], opt=needs(Scope.OPERATIONS, by_site=True)
)
