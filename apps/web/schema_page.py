"""The pages of both apps: /schema, the UI of the OpenAPI document, and /, the front page.

The UI's files come from an installed package; nothing is loaded from other hosts. Data for a page's script is in the
HTML as data, never as code.
"""

import html
from collections.abc import Mapping
from importlib import metadata, resources
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.params import PathParameter
from msgspec import Meta

from apps.web.app_urls import HOST, OTHER, AppUrls
from db.settings import Settings

TITLE = "TJRA Retail Analytics"
FOLDER = "/schema/assets"
#: The UI's files: package, path and media type by file name.
ASSETS = {
    "swagger-ui-bundle.js": ("swagger_ui", "static/swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": ("swagger_ui", "static/swagger-ui.css", "text/css"),
    "favicon-32x32.png": ("swagger_ui", "static/favicon-32x32.png", "image/png"),
    "pages.js": ("apps.web", "pages.js", "text/javascript"),
}
NOSNIFF = {"X-Content-Type-Options": "nosniff"}
#: Headers of pages: only our own script files run, and no other page may frame ours (clickjacking).
PAGE_HEADERS = NOSNIFF | {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

HEAD = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{title}}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/png" href="{FOLDER}/favicon-32x32.png">
"""
SCHEMA_PAGE = (
    HEAD
    + f"""\
<link rel="stylesheet" href="{FOLDER}/swagger-ui.css">
<script src="{FOLDER}/swagger-ui-bundle.js" defer></script>
<script src="{FOLDER}/pages.js" defer></script>
</head>
<body data-host="{{host}}" data-unlinked="{{unlinked}}">
<div id="ui"></div>
<script type="application/json" id="document">{{document}}</script>
</body>
</html>
"""
)
FRONT_PAGE = (
    HEAD
    + f"""\
<style>body {{{{ font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 3rem auto; padding: 0 1rem }}}}</style>
<script src="{FOLDER}/pages.js" defer></script>
</head>
<body data-host="{{host}}">
<h1>{{title}}</h1>
<p><a href="/schema">Interactive documentation</a> (<a href="/schema/openapi.json">as OpenAPI</a>).
Status: <a href="/health">health</a>, <a href="/ready">readiness</a>, <a href="/metrics">metrics</a>.
{{other}} {{login}}</p>
<ul>
{{operations}}
</ul>
</body>
</html>
"""
)


class Front(msgspec.Struct, kw_only=True):
    """The name and version of an app, and its main paths."""

    name: str
    version: str
    documentation: Annotated[str, Meta(description="The OpenAPI document with a UI.")] = "/schema"
    openapi: Annotated[str, Meta(description="The OpenAPI document as JSON.")] = "/schema/openapi.json"
    health: str = "/health"
    ready: str = "/ready"


def front_page(name: str, settings: Settings, *, opt: Mapping[str, Any]) -> HTTPRouteHandler:
    """The handler of GET /, with this `opt`: a page for browsers, JSON for programs."""

    title, addresses = f"{TITLE}: {name}", AppUrls(settings)
    entries: list[str] = []

    @get("/", include_in_schema=False, sync_to_thread=False, opt=dict(opt))
    def front(request: Request[Any, Any, Any]) -> Response[Any]:
        """The front page."""
        if not entries:  # the document exists only after the app does
            entries.extend(_entries(request.app.openapi_schema.to_schema()))
        if request.accept.best_match([MediaType.JSON, MediaType.HTML]) != MediaType.HTML:
            content = Front(name=title, version=metadata.version("tjra-retail-analytics"))
            return Response(content, headers=NOSNIFF | {"Vary": "Accept"})
        address = addresses.of(OTHER[name], request)
        other = f'The other app: <a class="other" href="{html.escape(address)}/">{OTHER[name]}</a>.' if address else ""
        page = FRONT_PAGE.format(
            title=html.escape(title),
            host=_host(request, addresses.given(OTHER[name])),
            other=other,
            login='<a href="/login">Your login</a>.' if name == "reporting" else "",
            operations="\n".join(entries),
        )
        return Response(page, media_type=MediaType.HTML, headers=PAGE_HEADERS | {"Vary": "Accept"})

    return front


def _entries(schema: dict[str, Any]) -> list[str]:
    """A list item for each operation, with a link to its documentation in the UI."""
    return [
        f'<li><a href="/schema#/{html.escape(operation["tags"][0])}/{operation["operationId"]}">'
        f"{method.upper()} {html.escape(path)}</a>: {html.escape(operation['summary'])}"
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]


def assets(opt: Mapping[str, Any]) -> HTTPRouteHandler:
    """The handler of the UI's files, with this `opt`."""
    return get("/assets/{name:str}", include_in_schema=False, sync_to_thread=True, opt=dict(opt))(_asset)


def _asset(name: Annotated[str, PathParameter()]) -> Response[bytes]:
    """One of the UI's files."""
    if name not in ASSETS:
        raise NotFoundException
    package, path, media_type = ASSETS[name]
    content = resources.files(package).joinpath(path).read_bytes()
    return Response(content, media_type=media_type, headers=NOSNIFF | {"Cache-Control": "public, max-age=86400"})


def favicon(opt: Mapping[str, Any]) -> HTTPRouteHandler:
    """The handler of /favicon.ico, which browsers ask for where a page names no icon, with this `opt`."""
    return get("/favicon.ico", include_in_schema=False, sync_to_thread=True, opt=dict(opt))(_icon)


def _icon() -> Response[bytes]:
    """The icon of the pages."""
    return _asset("favicon-32x32.png")


class SchemaPage(OpenAPIRenderPlugin):
    """Swagger UI without a CDN: its files come from the package swagger-ui-py."""

    def __init__(self, app: str, addresses: AppUrls, *, files: HTTPRouteHandler) -> None:
        super().__init__(path="/swagger")
        self.files = files
        self.app = app
        self.addresses = addresses

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        info = openapi_schema["info"]
        return SCHEMA_PAGE.format(
            title=html.escape(info["title"]),
            host=_host(request, self.addresses.given(OTHER[self.app])),
            unlinked=html.escape(self.addresses.unlinked(info["description"])),
            document=as_data(self.render_json(request, _for(request, openapi_schema, self.addresses)).decode()),
        ).encode()

    def receive_router(self, router: Router) -> None:
        router.register(self.files)


class LinkedDocument(JsonRenderPlugin):
    """The OpenAPI document, with links to the other app that are correct for the client."""

    def __init__(self, addresses: AppUrls) -> None:
        super().__init__()
        self.addresses = addresses

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return self.render_json(request, _for(request, openapi_schema, self.addresses))


def as_data(json: str) -> str:
    """Escape JSON for a script element, where `</script>` would end the element and `<!--` begin a comment.

    https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
    """
    for character in "<>&\u2028\u2029":
        json = json.replace(character, f"\\u{ord(character):04x}")
    return json


def _for(request: Request[Any, Any, Any], schema: dict[str, Any], addresses: AppUrls) -> dict[str, Any]:
    info = schema["info"]
    return schema | {"info": info | {"description": addresses.linked(info["description"], request)}}


def _host(request: Request[Any, Any, Any], given: str | None) -> str:
    """The Host header that links to the other app were made from, for the page to compare with its own host; empty if
    they come from the settings.

    A proxy may replace the Host header, as nginx does by default. From one that is no host with a port no link is made.
    """
    host = request.headers.get("host", "")
    return host if not given and HOST.fullmatch(host) else ""
