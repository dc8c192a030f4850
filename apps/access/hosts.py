"""By which names an app with AUTH=off may be asked, or one that believes a proxy who somebody is.

A page of the internet may give its own name the address of this machine (DNS rebinding). To a browser it is then a page
of the app, which may read all. But the browser sends that name as Host.
"""

import re
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from apps.web.problems import Refusal, refuse
from db.settings import Settings

#: A name or address of IPv4, or an address of IPv6 in brackets; and a port.
HOST = re.compile(r"(?:([^\[\]:@\s]+)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]*)?")
#: Characters of a Host that are shown.
SHOWN = 80


class Hosts:
    """The names that the settings allow. Addresses and localhost need none: nobody else can have them."""

    def __init__(self, settings: Settings) -> None:
        urls = [url for url in (settings.ingestion_url, settings.reporting_url) if url]
        given = [name.strip().lower() for name in settings.allowed_hosts.split(",")]
        self.names = {_name(urlsplit(url).netloc) for url in urls} | set(given) - {""}
        self.ends = (".localhost", *(name[1:] for name in given if name.startswith("*.")))

    def check(self, scope: Any, *, setting: str = "AUTH=off") -> None:
        """Raise Refusal (403) if a request came to another name. Browsers always send one.

        setting: the one for which it matters.
        """
        for header, value in scope["headers"]:
            if header == b"host" and not self._allows(host := value.decode("latin-1")):
                raise refused(host, setting)

    def _allows(self, host: str) -> bool:
        name = _name(host)
        return name == "localhost" or name in self.names or name.endswith(self.ends) or _is_address(name)


def refused(host: str, setting: str) -> Refusal:
    """The Refusal of a request that came to a name that nobody has allowed."""
    name = _name(host)[:SHOWN]
    return refuse(
        HTTPStatus.FORBIDDEN,
        f"with {setting} this answers to no name that it does not know, and it does not know {name!r}: set "
        "REPORTING_URL, add it to ALLOWED_HOSTS, or use an address or localhost",
    )


def _name(host: str) -> str:
    """A host without its port, and without the brackets of IPv6; all of it where it is none."""
    found = HOST.fullmatch(host)
    return (found[1] or found[2]).removesuffix(".").lower() if found else host


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
