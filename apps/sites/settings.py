"""GET, PUT and DELETE /sites/{site_id}: registered sites and their settings."""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

import msgspec
from litestar import Request, Response, Router, delete, get, put
from litestar.params import PathParameter

from apps.access.guard import check_site, identity_of
from apps.access.needs import needs
from apps.reporting_resources import ReportingResources, resources_of
from apps.sites.timezone import check_timezone, wait_for_timezone
from apps.web.openapi import answer, json_schema, operation
from apps.web.problems import QUEUE_UNAVAILABLE, problem_response, refuse, unavailable
from apps.web.query_params import CHANGES_NOTHING, DryRun, read_query
from apps.web.request_body import read_body
from apps.web.request_path import own_raw_path
from db.access import audit
from db.access.scopes import Scope
from db.connections.pools import ReadConnection
from db.events.errors import ALLOWED, BadParameter, FieldError, description, struct_error
from db.events.limits import text_fault
from db.sites import settings, timezones
from db.sites.settings import Changes, SiteSettings

PREFIX = b"/sites/"
SETTINGS_BYTES = 64 * 1024
#: Without origins, which could keep out the page that this is tried on.
EXAMPLE = {"name": "Lamp shop", "currency": "EUR", "retention_days": 400}
SAMPLE = SiteSettings(
    site_id="shop",
    name="Lamp shop",
    currency="EUR",
    retention_days=400,
    created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)
REMOVED = SiteSettings(site_id="shop", timezone="Europe/Berlin")
UNKNOWN_FIELD = FieldError(
    field="colour",
    reason="is unknown",
    allowed="one of name, timezone, origins, currency, secret_orders, retention_days",
)
OF_SHOP = {"site_id": "shop"}
SiteId = Annotated[Path, PathParameter(description="The site, percent-encoded where it is not letters and digits.")]


class ChangeQuery(msgspec.Struct, kw_only=True):
    """The parameters of PUT and DELETE."""

    dry_run: DryRun = False


OK = answer("The settings.", SAMPLE)
BAD_DRY_RUN = FieldError(field="dry_run", reason="should be true or false", allowed=description(DryRun))


@get(
    "/{site_id:path}",
    opt=needs(Scope.REPORTS_READ, by_site=True),
    summary="The settings of a site",
    operation_class=operation(examples=OF_SHOP),
    responses={200: OK},
)
async def get_site(request: Request[Any, Any, Any], site_id: SiteId) -> SiteSettings:  # noqa: ARG001
    """The settings of a site; the defaults, and no `created_at`, if it is not registered. `GET /sites` lists all sites
    that have events, registered or not."""
    name, resources = _site_id(request, Scope.REPORTS_READ), resources_of(request)
    return await _present(resources, name)


@put(
    "/{site_id:path}",
    opt=needs(Scope.ADMIN, by_site=True),
    summary="Register a site, or change its settings",
    status_code=HTTPStatus.OK,
    operation_class=operation(
        query=ChangeQuery,
        examples=OF_SHOP | CHANGES_NOTHING,
        body={"application/json": (json_schema(Changes), EXAMPLE)},
    ),
    responses={
        200: answer("The settings; with `dry_run`: those that hold.", SAMPLE),
        202: answer("They are set, except for the timezone: that is in the queue, and not done yet.", SAMPLE),
        400: problem_response(
            "The body is not valid; `errors` names the setting.",
            refuse(HTTPStatus.BAD_REQUEST, "the settings are not valid", [UNKNOWN_FIELD]),
        ),
        503: problem_response(
            "The database or the queue is unavailable; `Retry-After` says when to try again.",
            unavailable(QUEUE_UNAVAILABLE),
        ),
    },
)
async def put_site(request: Request[Any, Any, Any], site_id: SiteId) -> Response[SiteSettings]:  # noqa: ARG001
    """Registers a site, which it has to be with SITES=registered, or changes its settings: what is left out stays as it
    is. Ingestion goes by them within 10 seconds; events that it took before stay as they are. Another timezone recounts
    the site's days, as `PUT /timezone` does. With `dry_run=true`, as in the example, it only checks the body and
    tells the settings that hold.

    With `retention_days` the workers delete the site's events, and what funnels need of them, once they are older; its
    rollups keep their numbers. It is announced first, and deleted from five minutes later on, which cannot be undone.
    Only fewer days than the installation's RETENTION_DAYS have an effect; if that is not set, any have. More days, or
    null, bring back what is announced and not deleted yet.
    """
    query = read_query(request, ChangeQuery)
    name = _site_id(request, Scope.ADMIN)
    resources, who = resources_of(request), str(identity_of(request))
    timeout = resources.settings.body_timeout_seconds
    changes = _changes(await read_body(request.scope, request.receive, limit=SETTINGS_BYTES, timeout=timeout))
    timezone = None if changes.timezone is msgspec.UNSET else changes.timezone
    if timezone is not None:
        await check_timezone(resources, timezone)
    if query.dry_run:
        return Response(await _present(resources, name))

    async def set_them(conn: ReadConnection) -> SiteSettings:
        async with conn.transaction():
            after = await settings.put_settings(conn, name, changes)
            await audit.note(conn, who, "site.set", {"site_id": name, "settings": changes})
        return after

    after = await resources.read(set_them)
    if timezone is not None:
        after.timezone = await wait_for_timezone(resources, name, timezone)
    done = timezone is None or after.timezone == timezone
    return Response(after, status_code=HTTPStatus.OK if done else HTTPStatus.ACCEPTED)


@delete(
    "/{site_id:path}",
    opt=needs(Scope.ADMIN, by_site=True),
    summary="Remove a site's registration",
    status_code=HTTPStatus.OK,
    operation_class=operation(query=ChangeQuery, examples=OF_SHOP | CHANGES_NOTHING),
    responses={
        200: answer("The site, which is not registered any more; with `dry_run`: as it is.", REMOVED),
        400: problem_response(
            "A parameter is not valid.",
            refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_DRY_RUN]),
        ),
    },
)
async def delete_site(request: Request[Any, Any, Any], site_id: SiteId) -> SiteSettings:  # noqa: ARG001
    """Removes the registration with its settings; the site's events, numbers and timezone stay. With SITES=registered
    it sends no more events. `tjra delete` deletes a site's data. With `dry_run=true`, as in the example, nothing is
    removed.
    """
    query = read_query(request, ChangeQuery)
    name, who, resources = _site_id(request, Scope.ADMIN), str(identity_of(request)), resources_of(request)

    if query.dry_run:
        return await _present(resources, name)

    async def remove(conn: ReadConnection) -> None:
        async with conn.transaction():
            if await settings.remove_settings(conn, name):
                await audit.note(conn, who, "site.remove", {"site_id": name})

    await resources.read(remove)
    return await _not_registered(resources, name)


router = Router("/sites", route_handlers=[get_site, put_site, delete_site], tags=["sites"])


async def _present(resources: ReportingResources, site_id: str) -> SiteSettings:
    """The settings that a site has."""
    found = await resources.read(partial(settings.settings_of, site_id=site_id))
    return found or await _not_registered(resources, site_id)


async def _not_registered(resources: ReportingResources, site_id: str) -> SiteSettings:
    """A site without settings: all that is known of it is its timezone, if it has events."""
    timezone = await resources.read(partial(timezones.timezone_of, site_id=site_id))
    return SiteSettings(site_id=site_id, timezone=timezone or SiteSettings(site_id=site_id).timezone)


def _site_id(request: Request[Any, Any, Any], scope: str) -> str:
    """The site as it was sent: the router's own path parameter has lost its outer and double slashes.

    Raises BadParameter, and Refusal (403) if it is not one of the key's.
    """
    try:
        site_id = unquote_to_bytes(own_raw_path(request.scope).removeprefix(PREFIX)).decode()
    except UnicodeDecodeError:
        raise BadParameter("site_id", "holds what is not UTF-8", ALLOWED["site_id"]) from None
    if fault := text_fault("site_id", site_id):
        raise BadParameter("site_id", fault, ALLOWED["site_id"])
    check_site(identity_of(request), site_id, scope)
    return site_id


def _changes(body: bytes) -> Changes:
    """The settings in a body. Raises Refusal (400) that names the field."""
    try:
        return msgspec.json.decode(body, type=Changes)
    except msgspec.ValidationError as error:
        told = struct_error(error, Changes)
        raise refuse(HTTPStatus.BAD_REQUEST, "the settings are not valid", [told]) from None
    except ValueError as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"the body should be a JSON object: {error}") from None
