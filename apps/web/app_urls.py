"""The URL of the other app as a browser sees it: a correct one, or none.

In a text, `[reporting API](reporting:/schema)` becomes a link if the URL is known, and plain words otherwise.
"""

import re
from typing import Any

from litestar import Request

from db.settings import Settings

#: The other app of each app.
OTHER = {"ingestion": "reporting", "reporting": "ingestion"}
#: Headers that proxies add. Behind a proxy, a request does not show where the other app is.
OF_PROXIES = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-real-ip",
)
HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
LINK = re.compile(r"\[([^\]]+)\]\((ingestion|reporting):([^)\s]*)\)")


class AppUrls:
    """The URLs of both apps, from the settings or from a request."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def of(self, name: str, request: Request[Any, Any, Any]) -> str | None:
        """The URL of the app `name`, for a request to the other app; None if it is unknown.

        It is INGESTION_URL or REPORTING_URL. If that is not set, the request must have come to our own port: then the
        other app is on the same host, on its port.
        """
        if given := self.given(name):
            return given
        host = HOST.fullmatch(request.headers.get("host", ""))
        ours, theirs = getattr(self.settings, f"{OTHER[name]}_port"), getattr(self.settings, f"{name}_port")
        proxied = request.scope.get("root_path") or any(header in request.headers for header in OF_PROXIES)
        if proxied or not host or int(host[2]) != ours:
            return None
        return f"{request.scope['scheme']}://{host[1]}:{theirs}"

    def given(self, name: str) -> str | None:
        """The URL of an app in the settings, or None."""
        given: str | None = getattr(self.settings, f"{name}_url")
        return given.rstrip("/") if given else None

    def linked(self, text: str, request: Request[Any, Any, Any]) -> str:
        """The text with its links to the other app resolved for this request."""

        def link(found: re.Match[str]) -> str:
            address = self.of(found[2], request)
            return f"[{found[1]}]({address}{found[3]})" if address else found[1]

        return LINK.sub(link, text)

    def unlinked(self, text: str) -> str:
        """The text with only those links to the other app that the settings give."""
        return LINK.sub(
            lambda found: f"[{found[1]}]({given}{found[3]})" if (given := self.given(found[2])) else found[1], text
        )
