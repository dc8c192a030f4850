"""Extract an event's path from a URL."""

import re

# Not urllib.parse: it drops characters, refuses some URLs that browsers visit, and is slower.
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]+([^?#]*)", re.ASCII)
TARGET = re.compile(r"[^?#]*")


def path_of_url(text: str) -> str | None:
    """The path of a URL with a scheme and a host, "/" if it is empty; None for any other text."""
    match = URL.match(text)
    return (match[1] or "/") if match else None


def path_of_target(target: str) -> str | None:
    """The path of a request target (RFC 9112, section 3.2) without its query; None if it has no path."""
    if target.startswith("/"):
        match = TARGET.match(target)
        return match[0] if match else None
    return path_of_url(target)
