"""What each route needs: a handler says so by `opt=needs(...)`. The guard refuses those that say nothing."""

from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Components, SecurityScheme

from apps.access.credentials import insufficient, missing
from apps.web.problems import problem_response

#: In place of a scope: anybody, and anybody with a valid key, whatever it allows.
PUBLIC, ANY_KEY = "public", "any key"
#: The names in a handler's `opt` of what it needs, and of whether it keeps to the sites of a key.
NEEDED, BY_SITE = "tjra.needs", "tjra.by_site"
#: The same, of whether its requests are counted as reports.
LIMITED = "tjra.limited"

SECURITY = Components(
    security_schemes={
        "key": SecurityScheme(
            type="http", scheme="bearer", description="`Authorization: Bearer tjra_...`: a key (`tjra key create`)."
        ),
        "login": SecurityScheme(
            type="apiKey", security_scheme_in="cookie", name="__Host-tjra", description="The login of a browser."
        ),
    }
)


def needs(scope: str, *, by_site: bool = False, limited: bool = False) -> dict[str, Any]:
    """The `opt` of a handler. `by_site`: it is about the site of its parameter `site_id`, or keeps to the sites of the
    key by itself; keys for some sites may only use such handlers. `limited`: REPORTS_PER_MINUTE holds for it."""
    return {NEEDED: scope, BY_SITE: by_site, LIMITED: limited}


def document(app: Litestar) -> None:
    """Say in the OpenAPI document what each operation needs, before it is made."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and handler.opt.get(NEEDED, PUBLIC) != PUBLIC:
                _document(handler, handler.opt[NEEDED])


def _document(handler: HTTPRouteHandler, scope: str) -> None:
    if not handler.include_in_schema:
        return
    told = "Needs a key." if scope == ANY_KEY else f"Needs a key with the scope `{scope}`."
    text = handler.description or handler.fn.__doc__ or ""
    handler.description = f"{text.rstrip()}\n\n{told}"
    handler.security = [{"key": []}, {"login": []}]
    handler.responses = {
        **(handler.responses or {}),
        401: problem_response("No key, or one that is not valid.", missing()),
        403: problem_response("The key does not allow it.", insufficient(f"the key lacks the scope {scope}", scope)),
    }
