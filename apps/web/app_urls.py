"""Where a browser finds our other app: an address that is right, or none.

In a text, `[reporting API](reporting:/schema)` is a link to that where the address is known, else just its words.
"""

import re
from typing import Any

from litestar import Request

from db.settings import Settings

#: Which port is ours if theirs is asked for.
OTHER = {"ingestion": "reporting", "reporting": "ingestion"}
#: What a proxy adds. Behind one, nothing in a request tells where the other app is.
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
    """The addresses of both apps, by these settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def of(self, name: str, request: Request[Any, Any, Any]) -> str | None:
        """The address of the app `name`, asked for by a request to the other one.

        It is INGESTION_URL or REPORTING_URL. Where that is not set, it follows from the request only if this came to
        our own port: then the other app is on the same host, on its port.
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
        """The address that the settings give an app."""
        given: str | None = getattr(self.settings, f"{name}_url")
        return given.rstrip("/") if given else None

    def linked(self, text: str, request: Request[Any, Any, Any]) -> str:
        """A text with its links to the other app."""

        def link(found: re.Match[str]) -> str:
            address = self.of(found[2], request)
            return f"[{found[1]}]({address}{found[3]})" if address else found[1]

        return LINK.sub(link, text)

    def unlinked(self, text: str) -> str:
        """A text with no links to the other app but those that the settings give."""
        return LINK.sub(
            lambda found: f"[{found[1]}]({given}{found[3]})" if (given := self.given(found[2])) else found[1], text
        )
