"""/keys, for admins."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import PathParameter
from msgspec import Meta

from apps.access.guard import identity_of
from apps.access.needs import needs
from apps.keys.access import ReportingAccess
from apps.keys.bodies import AskedKey, invalid_field, read_json, settle_end
from apps.reporting_resources import resources_of
from apps.web.openapi import answer, json_schema, operation
from apps.web.problems import problem_response, refuse
from apps.web.query_params import CHANGES_NOTHING, DryRun, read_query
from db.access import audit, keys
from db.access.keys import Key, draft
from db.access.scopes import Scope
from db.connections.pools import ReadConnection
from db.events.errors import FieldError, description

KeyId = Annotated[UUID, PathParameter(description="The key's id.")]
#: The key of the documentation's examples: in no list and no database, so that to revoke or rotate it does nothing.
SAMPLE = Key(
    id=UUID("5d0c8d6a-0f3f-5f1c-8bb0-c56f1d7f5c9d"),
    prefix="tjra_k_4vYpQ",
    name="Grafana",
    scopes=[Scope.REPORTS_READ, Scope.OPERATIONS],
    sites=["shop"],
    created_by="first key",
    created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)
EXAMPLE = {"name": "Grafana", "scopes": ["reports:read"], "sites": ["shop"], "expires_in_days": 90}
OF_SAMPLE = {"key_id": str(SAMPLE.id)}
NO_KEY = problem_response("There is no such key.", refuse(HTTPStatus.NOT_FOUND, "there is no such key"))
BAD_KEY = problem_response(
    "The body is not valid.",
    invalid_field("key", "name", "is missing"),
)
BAD_OVERLAP = problem_response(
    "A parameter is not valid.",
    refuse(
        HTTPStatus.BAD_REQUEST,
        "a parameter is not valid",
        [FieldError(field="overlap_hours", reason="should be at least 0", allowed="Hours for which ...: 0 to 720 ...")],
    ),
)
BAD_PARAMETER = problem_response(
    "A parameter is not valid.",
    refuse(
        HTTPStatus.BAD_REQUEST,
        "a parameter is not valid",
        [FieldError(field="dry_run", reason="should be true or false", allowed=description(DryRun))],
    ),
)


class Secret(msgspec.Struct, kw_only=True):
    """A new key and its secret, which is shown this once."""

    key: Key
    secret: Annotated[str, Meta(description="To be sent as `Authorization: Bearer`. It cannot be shown again.")]


class Rotated(Secret, kw_only=True):
    """A new key in place of an old one."""

    old_valid_until: Annotated[datetime, Meta(description="Until when the old secret is valid, and its logins.")]


class KeyList(msgspec.Struct, kw_only=True):
    """All keys."""

    keys: list[Key]


class RotateQuery(msgspec.Struct, kw_only=True):
    """The parameters of POST /keys/{id}/rotate."""

    overlap_hours: Annotated[
        int, Meta(ge=0, le=720, description="Hours for which the old secret stays valid: 0 to 720; left out: 24.")
    ] = 24
    dry_run: DryRun = False


class ChangeQuery(msgspec.Struct, kw_only=True):
    """The parameters of POST /keys and DELETE /keys/{id}."""

    dry_run: DryRun = False


#: In place of a secret where none was made.
NO_SECRET = "tjra_k_" + "0" * 49
NEW = answer("The key, with its secret.", Secret(key=SAMPLE, secret=NO_SECRET))
ROTATED = Rotated(key=SAMPLE, secret=NO_SECRET, old_valid_until=datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC))
TRIED = answer("With `dry_run`: what it would be, with a secret that is none.", Secret(key=SAMPLE, secret=NO_SECRET))


@get("/", summary="List the keys", responses={200: answer("All of them.", KeyList(keys=[SAMPLE]))})
async def get_keys(request: Request[Any, Any, Any]) -> KeyList:
    """All keys, also those that are revoked or have expired, the newest first. Their secrets are not stored."""
    return KeyList(keys=await resources_of(request).read(keys.list_keys))


@post(
    "/",
    summary="Create a key",
    status_code=HTTPStatus.CREATED,
    operation_class=operation(
        query=ChangeQuery, examples=CHANGES_NOTHING, body={"application/json": (json_schema(AskedKey), EXAMPLE)}
    ),
    responses={200: TRIED, 201: NEW, 400: BAD_KEY},
)
async def post_key(request: Request[Any, Any, Any]) -> Response[Secret]:
    """Creates a key. The response has its secret, which is shown this once. With `dry_run=true`, as in the example, it
    only checks the body."""
    query, who = read_query(request, ChangeQuery), str(identity_of(request))
    new = await read_json(request, AskedKey, "key")
    settle_end(new, "key")
    if query.dry_run:
        return Response(Secret(key=draft(new, by=who), secret=NO_SECRET), status_code=HTTPStatus.OK)

    async def create(conn: ReadConnection) -> Secret:
        async with conn.transaction():
            key, secret = await keys.create_key(conn, new, by=who)
            await audit.note(conn, who, "key.create", keys.told(key))
        return Secret(key=key, secret=secret)

    return Response(await resources_of(request).read(create), headers={"Cache-Control": "no-store"})


@delete(
    "/{key_id:uuid}",
    summary="Revoke a key",
    status_code=HTTPStatus.OK,
    operation_class=operation(query=ChangeQuery, examples=OF_SAMPLE | CHANGES_NOTHING),
    responses={
        200: answer("It is revoked; with `dry_run`: the key as it is.", SAMPLE),
        400: BAD_PARAMETER,
        404: NO_KEY,
    },
)
async def delete_key(request: Request[Any, Any, Any], key_id: KeyId) -> Key:
    """Revokes a key: in every process it is dead within 10 seconds, and its logins and streams end with it.

    The key of the example is always there, to be tried; to revoke it does nothing. With `dry_run=true` nothing is
    revoked.
    """
    query = read_query(request, ChangeQuery)
    if key_id == SAMPLE.id:
        return SAMPLE
    who = str(identity_of(request))

    async def revoke(conn: ReadConnection) -> list[Key]:
        async with conn.transaction():
            if not query.dry_run and await keys.revoke_key(conn, key_id):
                await audit.note(conn, who, "key.revoke", {"key": key_id})
            return await keys.list_keys(conn, key_id)

    found = await resources_of(request).read(revoke)
    access: ReportingAccess = request.app.state.access
    access.verdicts.forget()
    if not found:
        raise refuse(HTTPStatus.NOT_FOUND, "there is no such key")
    return found[0]


@post(
    "/{key_id:uuid}/rotate",
    summary="Rotate a key",
    status_code=HTTPStatus.CREATED,
    operation_class=operation(query=RotateQuery, examples=OF_SAMPLE | CHANGES_NOTHING),
    responses={
        200: answer("With `dry_run`: what it would be, with a secret that is none.", ROTATED),
        201: answer("The new key, with its secret.", ROTATED),
        400: BAD_OVERLAP,
        404: NO_KEY,
    },
)
async def rotate_key(request: Request[Any, Any, Any], key_id: KeyId) -> Response[Secret]:
    """Creates a key like another one, with a secret of its own; the old one expires after the overlap, at the very
    moment of `old_valid_until`. Without an overlap it is dead as a revoked one is: everywhere within 10 seconds.

    The key of the example is always there, to be tried; to rotate it does nothing. With `dry_run=true` nothing is
    created, and the old key stays as it is.
    """
    query, who = read_query(request, RotateQuery), str(identity_of(request))

    overlap = timedelta(hours=query.overlap_hours)

    async def rotate(conn: ReadConnection) -> Rotated | None:
        if query.dry_run:
            now = datetime.now(UTC)
            there = await keys.list_keys(conn, key_id)
            valid = [key for key in there if key.is_valid(now)]
            return _tried(valid[0], now + overlap) if valid else None
        async with conn.transaction():
            rotated = await keys.rotate_key(conn, key_id, overlap=overlap, by=who)
            if rotated is None:
                return None
            key, secret, old_until = rotated
            await audit.note(conn, who, "key.rotate", {"key": key_id, "new": key.id})
        return Rotated(key=key, secret=secret, old_valid_until=old_until)

    if key_id == SAMPLE.id:
        made: Rotated | None = _tried(SAMPLE, datetime.now(UTC) + overlap)
    else:
        made = await resources_of(request).read(rotate)
        access: ReportingAccess = request.app.state.access
        access.verdicts.forget()  # of the old key it is not known yet that it ends
    if made is None:
        raise refuse(HTTPStatus.NOT_FOUND, "there is no such key, or it is not valid any more")
    status = HTTPStatus.OK if query.dry_run else HTTPStatus.CREATED
    return Response(made, status_code=status, headers={"Cache-Control": "no-store"})


def _tried(key: Key, end: datetime) -> Rotated:
    """What a rotation would be."""
    return Rotated(key=key, secret=NO_SECRET, old_valid_until=min(end, key.expires_at or end))


router = Router(
    "/keys", route_handlers=[get_keys, post_key, delete_key, rotate_key], tags=["access"], opt=needs(Scope.ADMIN)
)
