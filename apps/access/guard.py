"""The guard of all routes: closed, unless a handler says what it needs."""

from http import HTTPStatus
from typing import Any, Protocol

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from apps.access.credentials import insufficient, missing
from apps.access.needs import ANY_KEY, BY_SITE, NEEDED, PUBLIC
from apps.web.problems import Refusal, refuse
from db.access.scopes import Identity

#: The key in a request's scope of who sent it.
IDENTITY = "tjra.identity"

Connection = ASGIConnection[Any, Any, Any, Any]


class Access(Protocol):
    """How an app tells who sends a request; in its state as `access`."""

    async def identity(self, scope: Any) -> Identity | None:
        """Who sends a request; None if it carries no credential. Raises Refusal."""


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request through, or raise Refusal (401, 403). Runs before its body is read, and before any ETag."""
    scope: Any = connection.scope
    if scope["method"] == "OPTIONS":  # answers with the methods of a path and nothing else
        return
    needed = handler.opt.get(NEEDED)
    if needed == PUBLIC:
        return
    if needed is None:
        raise refuse(HTTPStatus.FORBIDDEN, "nobody may use this route: it does not say what it needs")
    access: Access = connection.app.state.access
    identity = await access.identity(scope)
    if identity is None:
        raise missing()
    check(identity, needed)
    if identity.sites is not None and needed != ANY_KEY:
        if not handler.opt.get(BY_SITE):
            raise insufficient("this needs a key for all sites", needed)
        for site in connection.query_params.getall("site_id", []):
            check_site(identity, site, needed)
    scope[IDENTITY] = identity


def check(identity: Identity, needed: str) -> None:
    """Raise Refusal (403) if somebody may not do that."""
    if needed != ANY_KEY and not identity.may(needed):
        raise insufficient(f"the key lacks the scope {needed}", needed)


def check_site(identity: Identity, site: str, needed: str) -> None:
    """Raise Refusal (403) if a site is not one of theirs, whether it exists or not."""
    if not identity.sees(site):
        raise insufficient(f"the key is not for the site {site!r}", needed)


def identity_of(request: Request[Any, Any, Any]) -> Identity:
    """Who sent a request; the guard has let it through."""
    scope: Any = request.scope
    identity: Identity = scope[IDENTITY]
    return identity


async def is_still_allowed(request: Request[Any, Any, Any]) -> bool:
    """Whether the guard would let a request through that it has let through before, for one that lasts long."""
    try:
        await guard(request, request.route_handler)
    except Refusal as refusal:
        return refusal.problem.status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    except Exception:  # the database is unavailable, say: that is no verdict
        return True
    return True
