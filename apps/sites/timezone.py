"""PUT /timezone: in which timezone a site's days are."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, put
from msgspec import Meta

from actors.sites import queue_timezone
from apps.access.guard import identity_of
from apps.access.needs import needs
from apps.reporting_resources import ReportingResources, resources_of
from apps.web.openapi import answer, operation
from apps.web.problems import QUEUE_UNAVAILABLE, problem_response, refuse, unavailable
from apps.web.query_params import CHANGES_NOTHING, DryRun, read_query
from db.access import audit
from db.access.scopes import Scope
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.events.event import SiteId
from db.sites import timezones

ALLOWED = "a name of the IANA list, as Europe/Berlin"
BERLN = FieldError(field="timezone", reason="'Europe/Berln' is unknown; is Europe/Berlin meant?", allowed=ALLOWED)


class TimezoneQuery(msgspec.Struct, kw_only=True):
    """The parameters of PUT /timezone."""

    site_id: SiteId
    timezone: Annotated[
        str, Meta(min_length=1, description=f"The new timezone: {ALLOWED}.", examples=["Europe/Berlin"])
    ]
    dry_run: DryRun = False


class SiteTimezone(msgspec.Struct, kw_only=True):
    """A site and its timezone."""

    site_id: SiteId
    timezone: Annotated[str, Meta(description="The timezone that its days are meant in.", examples=["Europe/Berlin"])]


@put(
    "/timezone",
    opt=needs(Scope.ADMIN, by_site=True),
    summary="Set a site's timezone",
    tags=["sites"],
    status_code=HTTPStatus.OK,
    operation_class=operation(query=TimezoneQuery, examples=CHANGES_NOTHING),
    responses={
        200: answer(
            "It is set, and all reports go by it; with `dry_run`: the one that holds.",
            SiteTimezone(site_id="shop", timezone="Europe/Berlin"),
        ),
        202: answer(
            "The request is in the queue, and not done yet; until then the old timezone holds.",
            SiteTimezone(site_id="shop", timezone="UTC"),
        ),
        400: problem_response(
            "A parameter is missing or not valid.",
            refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BERLN]),
        ),
        404: problem_response("There is no such site.", refuse(HTTPStatus.NOT_FOUND, "there is no site 'shop'")),
        503: problem_response(
            "The database or the queue is unavailable; `Retry-After` says when to try again.",
            unavailable(QUEUE_UNAVAILABLE),
        ),
    },
)
async def put_timezone(request: Request[Any, Any, Any]) -> Response[SiteTimezone]:
    """Changes a site: it sets the timezone in which the site's days begin, and recounts its days from the events, in
    one transaction. With `dry_run=true`, as in the example, it only checks the parameters and tells the timezone that
    holds.

    Reports have the old days until that is done, and the new ones from then on. Events of the site are taken meanwhile,
    and stored after it. Days whose events are no longer kept stay days of the old timezone.
    """
    query = read_query(request, TimezoneQuery)
    resources = resources_of(request)
    current = await current_timezone(resources, query.site_id)
    await check_timezone(resources, query.timezone)
    if query.dry_run:
        return Response(SiteTimezone(site_id=query.site_id, timezone=current))
    if current != query.timezone:
        await _note(resources, str(identity_of(request)), query, current)
    current = await wait_for_timezone(resources, query.site_id, query.timezone)
    done = current == query.timezone
    return Response(
        SiteTimezone(site_id=query.site_id, timezone=current),
        status_code=HTTPStatus.OK if done else HTTPStatus.ACCEPTED,
    )


async def _note(resources: ReportingResources, by: str, query: TimezoneQuery, before: str) -> None:
    async def note(conn: ReadConnection) -> None:
        details = {"site": query.site_id, "timezone": query.timezone, "before": before}
        await audit.note(conn, by, "site.timezone", details)

    await resources.read(note)


async def check_timezone(resources: ReportingResources, timezone: str) -> None:
    """Raise BadParameter if no site may have this timezone."""
    names = await resources.read(timezones.known)
    if timezone not in names:
        raise BadParameter("timezone", timezones.unknown(timezone, names), ALLOWED)


async def wait_for_timezone(resources: ReportingResources, site_id: str, timezone: str) -> str:
    """Have a worker set a site's timezone, and return the one that it has after a while. Raises QueueUnavailable."""
    current = await current_timezone(resources, site_id)
    if current != timezone:
        await queue_timezone(resources.producer, site_id, timezone)
        current = await resources.wait_for_worker(
            lambda: current_timezone(resources, site_id), lambda seen: seen == timezone
        )
    return current


async def current_timezone(resources: ReportingResources, site_id: str) -> str:
    """A site's timezone. Raises Refusal (404)."""
    timezone = await resources.read(partial(timezones.timezone_of, site_id=site_id))
    if timezone is None:
        raise refuse(HTTPStatus.NOT_FOUND, f"there is no site {site_id!r}")
    return timezone
