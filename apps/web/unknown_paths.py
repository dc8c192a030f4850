"""What a request is told whose path or method there is not: where all paths are, and which one may be meant."""

from collections.abc import Iterator
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException
from litestar.routes import HTTPRoute

from apps.web.request_path import own_path

#: Characters of a path that are shown. Longer ones are not compared either: nobody has mistyped them.
SHOWN = 80
#: How alike two paths and their last parts have to be, of 1.
ALIKE, ALIKE_ENDS = 0.75, 0.6


def told(request: Request[Any, Any, Any], error: HTTPException) -> str:
    """The detail of the problem: that of the error, unless it is the router's 404 or 405."""
    if error.detail != HTTPStatus(error.status_code).phrase:
        return error.detail
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _methods((error.headers or {}).get("allow", ""))
    return _paths(request) if error.status_code == HTTPStatus.NOT_FOUND else error.detail


def _methods(allow: str) -> str:
    methods = {method.strip() for method in allow.split(",")} - {"OPTIONS", ""}
    names = sorted(methods | ({"HEAD"} if "GET" in methods else set()))
    return f"this path takes {' and '.join(names)} only; /schema describes all paths"


def _paths(request: Request[Any, Any, Any]) -> str:
    path = own_path(request.scope)
    shown = repr(path) if len(path) <= SHOWN else f"{path[:SHOWN]!r}..."
    hint = _hint(path, request) if len(path) <= SHOWN else ""
    config = request.app.openapi_config
    app = config.title.rpartition(": ")[2] if config else ""  # who asks the wrong one of the two can see it
    return f"the {app} API has no path {shown}{hint}; /schema describes all paths"


def _hint(path: str, request: Request[Any, Any, Any]) -> str:
    named = dict(_alike(path, request))
    text = path.rstrip("/").casefold()
    template = named.get(text, "")  # all of the path is as it should be, but for the form of an id
    others = [alike for alike in named if ("{" not in template or alike != text) and _same_end(alike, text)]
    if close := get_close_matches(text, others, n=1, cutoff=ALIKE):
        return f"; is {named[close[0]]} meant?"
    ids = [part.strip("{}") for part in template.split("/") if part.startswith("{")]
    if not ids:
        return ""
    what = ids[0].removesuffix("_id").replace("_", " ")
    return f": there is no such {what} (in {template}, {ids[0]} should be a UUID)"


def _same_end(path: str, other: str) -> bool:
    """Whether the last parts are alike: who asks to replay a letter must not be told the path that discards it."""
    return bool(get_close_matches(other.rpartition("/")[2], [path.rpartition("/")[2]], cutoff=ALIKE_ENDS))


def _alike(path: str, request: Request[Any, Any, Any]) -> Iterator[tuple[str, str]]:
    """Each documented path, by what it would be with the ids of this one."""
    given = path.rstrip("/").split("/")
    for route in request.app.routes:
        parts = route.path_format.split("/")
        if len(parts) == len(given) and isinstance(route, HTTPRoute) and _is_documented(route):
            filled = [mine if part.startswith("{") else part for part, mine in zip(parts, given, strict=True)]
            yield "/".join(filled).casefold(), route.path_format


def _is_documented(route: HTTPRoute) -> bool:
    return any(handler.resolve_include_in_schema() for handler in route.route_handlers)
