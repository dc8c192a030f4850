"""URLs: which part of them is an event's path."""

import re

# Not urllib.parse: it drops characters, refuses some URLs that browsers visit, and is slower.
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]+([^?#]*)", re.ASCII)
TARGET = re.compile(r"[^?#]*")


def path_of_url(text: str) -> str | None:
    """The path of a URL that has a scheme and a host, "/" where it is empty; None for any other text."""
    match = URL.match(text)
    return (match[1] or "/") if match else None


def path_of_target(target: str) -> str | None:
    """The path that a request asked for (RFC 9112, section 3.2), without its query; None where it has none."""
    if target.startswith("/"):
        match = TARGET.match(target)
        return match[0] if match else None
    return path_of_url(target)
