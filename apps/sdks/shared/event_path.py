"""Where an event of an SDK happened: its path, from a URL or a path, whole or relative, with the route behind `#`."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from apps.events.url_path import path_of_target

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
#: A URL without its scheme; `//lamp` is a path all the same.
HOST = re.compile(r"//[^/?#.\s]+\.[^/?#\s]+")
#: What a script wrote that had no URL.
NONE = ("undefined", "null")
CAMPAIGN = {"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"}

#: Whether what is behind `#` belongs to the path.
Routed = Callable[[str], bool]


def is_route(fragment: str) -> bool:
    """Whether a page is meant, as by `#/cart` and `#!/cart`, and not a place within one, as by `#reviews`."""
    return fragment.startswith("/") or (fragment.startswith("!") and fragment != "!")


def always(fragment: str) -> bool:
    """For protocols that say so."""
    return bool(fragment)


def never(_: str) -> bool:
    """For protocols that say so."""
    return False


def path(*candidates: Any, routed: Routed = is_route) -> str:
    """The path of the first of these that is a URL or a path; "/" where none is.

    A path that is that of one of the URLs after it has the URL's route too: PostHog and Segment tell both.
    """
    for index, candidate in enumerate(candidates):
        if isinstance(candidate, str) and (found := _path(candidate)):
            for other in candidates[index:]:
                if isinstance(other, str) and (route := _route(other, routed)) and _path(other) == found:
                    return found + route
            return found
    return "/"


def campaign(url: Any) -> dict[str, str]:
    """The utm parameters of a URL, which its path does not have; those behind a route too."""
    if not isinstance(url, str) or "utm_" not in url:
        return {}
    before, _, fragment = url.partition("#")
    queries = [before.partition("?")[2], fragment.partition("?")[2]]
    return {name: given for query in reversed(queries) for name, given in parse_qsl(query) if name in CAMPAIGN}


def _path(given: str) -> str | None:
    """The path that a browser would go to from "/", None where it is none."""
    text = given.strip()
    if not text or text in NONE:
        return None
    if HOST.match(text):
        text = "https:" + text
    if found := path_of_target(text):
        return found
    if scheme := SCHEME.match(text):
        rest = text[scheme.end() :]
        # As of the pages that an app brings along: file:///index.html. about:blank is no path.
        return path_of_target(rest[2:]) if rest.startswith("///") else None
    return _resolved(text)


def _resolved(relative: str) -> str:
    """A relative URL, from "/" on (RFC 3986, section 5.2.4)."""
    parts: list[str] = []
    for part in re.split(r"[?#]", relative, maxsplit=1)[0].split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/" + "/".join(parts)


def _route(url: str, routed: Routed) -> str:
    """`#` and the route behind it, without a query; empty where there is none."""
    fragment = url.strip().partition("#")[2].partition("?")[0]
    return f"#{fragment}" if routed(fragment) else ""
