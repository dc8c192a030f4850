"""The path of an SDK's event, from a full or relative URL or a path, with the route behind `#`."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from apps.events.url_path import path_of_target

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
#: A URL without its scheme; `//lamp` is a path, because its first part has no dot.
HOST = re.compile(r"//[^/?#.\s]+\.[^/?#\s]+")
#: What scripts send if they have no URL.
NONE = ("undefined", "null")
CAMPAIGN = {"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"}

#: Whether the fragment (the part behind `#`) belongs to the path.
Routed = Callable[[str], bool]


def is_route(fragment: str) -> bool:
    """Whether a fragment names a page (`#/cart`, `#!/cart`) and not a place on one (`#reviews`)."""
    return fragment.startswith("/") or (fragment.startswith("!") and fragment != "!")


def always(fragment: str) -> bool:
    """For protocols that say that the fragment belongs to the path."""
    return bool(fragment)


def never(_: str) -> bool:
    """For protocols that say that it does not."""
    return False


def first_path(*candidates: Any, routed: Routed = is_route) -> str:
    """The path of the first candidate that is a URL or a path, otherwise "/".

    PostHog and Segment send a path and a URL: if a later candidate is a URL of the same path, its route is added.
    """
    for index, candidate in enumerate(candidates):
        if isinstance(candidate, str) and (found := _path(candidate)):
            for other in candidates[index:]:
                if isinstance(other, str) and (route := _route(other, routed)) and _path(other) == found:
                    return found + route
            return found
    return "/"


def campaign(url: Any) -> dict[str, str]:
    """The utm parameters of a URL, including those behind a route."""
    if not isinstance(url, str) or "utm_" not in url:
        return {}
    before, _, fragment = url.partition("#")
    queries = [before.partition("?")[2], fragment.partition("?")[2]]
    return {name: given for query in reversed(queries) for name, given in parse_qsl(query) if name in CAMPAIGN}


def _path(given: str) -> str | None:
    """The path that a browser at "/" would go to; None if the text is neither a URL nor a path."""
    text = given.strip()
    if not text or text in NONE:
        return None
    if HOST.match(text):
        text = "https:" + text
    if found := path_of_target(text):
        return found
    if scheme := SCHEME.match(text):
        rest = text[scheme.end() :]
        # Pages inside an app have URLs such as file:///index.html; about:blank has no path.
        return path_of_target(rest[2:]) if rest.startswith("///") else None
    return _resolved(text)


def _resolved(relative: str) -> str:
    """A relative URL resolved against "/" (RFC 3986, section 5.2.4)."""
    parts: list[str] = []
    for part in re.split(r"[?#]", relative, maxsplit=1)[0].split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/" + "/".join(parts)


def _route(url: str, routed: Routed) -> str:
    """`#` and the route behind it without a query; empty if there is no route."""
    fragment = url.strip().partition("#")[2].partition("?")[0]
    return f"#{fragment}" if routed(fragment) else ""
