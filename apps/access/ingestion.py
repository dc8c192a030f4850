"""Who reads the pages and metrics of ingestion; who sends events, apps/events/admission.py tells."""

import html
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

from litestar import MediaType, Request, Response

from apps.access.credentials import credential_of, invalid
from apps.access.hosts import Hosts
from apps.access.snapshots import Snapshots
from apps.web.app_urls import HOST, OF_PROXIES, AppUrls
from apps.web.problems import error_response
from apps.web.schema_page import HEAD, PAGE_HEADERS, TITLE
from db.access.scopes import ANYBODY, Identity, Scope
from db.settings import Settings

PROXIED = frozenset(name.encode() for name in OF_PROXIES)
#: Whoever may read them without a key, by OPERATIONS_OPEN_TO.
OPERATOR = Identity(name="anybody (OPERATIONS_OPEN_TO)", scopes=frozenset({Scope.OPERATIONS}))

PAGE = (
    HEAD
    + """\
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 15vh auto; padding: 0 1rem }}</style>
</head>
<body>
<h1>A key is needed</h1>
<p>Log in at {place}, and come back. Programs send <code>Authorization: Bearer</code> and a key.</p>
</body>
</html>
"""
)


class IngestionAccess:
    """Who sends the requests to one ingestion app, other than events."""

    def __init__(self, settings: Settings, snapshots: Snapshots) -> None:
        self.snapshots = snapshots
        self.off = settings.auth == "off"
        self.hosts = Hosts(settings)
        self.open_to = settings.operations_open_to

    async def identity(self, scope: Any) -> Identity | None:
        """Who sends a request; None if it carries no credential. Raises Refusal (400, 401, 403, 503)."""
        credential = credential_of(scope)
        if credential and credential.kind == "key":
            if found := self.snapshots.required().holder("key", credential.secret):
                return found
            raise invalid()
        if self.off:
            self.hosts.check(scope)
            return ANYBODY
        if self.open_to == "all" or (self.open_to == "loopback" and _is_from_loopback(scope)):
            return OPERATOR
        if credential:
            if found := self.snapshots.required().holder("login", credential.secret):
                return found
            raise invalid()
        return None


def refused_page(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler: browsers that open a page without a login are told where to log in."""
    response = error_response(request, error)
    if response.status_code != HTTPStatus.UNAUTHORIZED or request.method not in ("GET", "HEAD"):
        return response
    response.headers["Vary"] = "Accept, Authorization, Cookie"
    if request.accept.best_match([MediaType.JSON, MediaType.HTML]) != MediaType.HTML:
        return response
    url = AppUrls(request.app.state.events.settings).of("reporting", request)
    place = "the reporting app"
    if url:
        place = f'<a href="{html.escape(url)}/login">{place}</a>'
    page = PAGE.format(title=html.escape(f"A key is needed: {TITLE}"), place=place)
    headers = PAGE_HEADERS | {"Cache-Control": "no-store"} | dict(response.headers)
    return Response(page.encode(), status_code=response.status_code, media_type=MediaType.HTML, headers=headers)


def _is_from_loopback(scope: Any) -> bool:
    """Whether a request comes from this machine, and not through a proxy on it.

    uvicorn sets the port 0 where a trusted proxy has named its client. nginx adds no header unless told to, but then
    speaks HTTP/1.0. The Host is checked because a page may give its own name the address of this machine (DNS
    rebinding).
    """
    host, port = scope["client"] or ("", 0)
    names = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return (
        port != 0
        and _is_loopback(host)
        and scope.get("http_version") != "1.0"
        and all(name not in PROXIED for name, _ in scope["headers"])
        and len(names) == 1
        and _is_loopback(_without_port(names[0]))
    )


def _without_port(host: str) -> str:
    found = HOST.fullmatch(host)
    return (found[1] if found else host).strip("[]")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
