"""Proxies in front, whose headers are believed: FORWARDED_ALLOW_IPS."""

from typing import Any

from uvicorn.middleware.proxy_headers import _TrustedHosts

from db.settings import Settings


class Proxies:
    """The addresses in FORWARDED_ALLOW_IPS."""

    def __init__(self, settings: Settings) -> None:
        self.addresses = _TrustedHosts(settings.forwarded_allow_ips)

    def are_before(self, scope: Any) -> bool:
        """Whether the connection of a request comes from one of them.

        uvicorn puts the address that such a proxy names in its place, with the port 0, which no connection has.
        """
        host, port = scope["client"] or ("", None)
        return port == 0 or host in self.addresses
