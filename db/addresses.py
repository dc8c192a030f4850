"""Checks of server addresses. The error texts never repeat an address, as it may contain a password."""

import re
from ipaddress import IPv6Address
from socket import SOCK_STREAM, AddressFamily, getaddrinfo
from urllib.parse import parse_qs, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

REDIS_SCHEMES = ("redis", "rediss", "unix")
#: How the client library reports an unknown option.
UNKNOWN = re.compile(r'invalid (?:URI query parameter|connection option)[:]? "(\w+)"')
#: Options of other libraries, and PostgreSQL's equivalents.
INSTEAD = {
    "schema": "options=-csearch_path%3DNAME chooses a schema",
    "ssl": "sslmode=require is what it is called",
    "sslaccept": "sslmode is what it is called",
    "timezone": "no timezone needs to be set",
    "charset": "the encoding is always UTF-8",
}
#: What a host's name may be made of.
HOST = re.compile(r"[A-Za-z0-9_.-]+")


def check_database_url(url: str) -> str | None:
    """What is wrong with an address of PostgreSQL; None if it is valid."""
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:
        if not (found := UNKNOWN.search(str(error))):
            return "cannot be read"
        hint = INSTEAD.get(found[1].lower(), "leave it out")
        return f"has an option that PostgreSQL's client library does not know, {found[1]} ({hint})"
    for port in str(parts.get("port", "")).split(","):
        if port and not (port.isdecimal() and 0 < int(port) < 65536):
            return "has a port that is not a number from 1 to 65535"
    return None


def check_redis_url(url: str) -> str | None:
    """What is wrong with an address of Redis; None if it is valid."""
    if url.partition("://")[0] not in REDIS_SCHEMES:
        return "cannot be read"
    try:
        parts = urlsplit(url)
        port, query = parts.port, parse_qs(parts.query)
    except ValueError as error:
        # Not str(error): it repeats the address.
        return "has a port that is not a number from 0 to 65535" if "ort" in str(error) else "cannot be read"
    if port == 0:
        return "has a port that is not a number from 1 to 65535"
    number = "" if parts.scheme == "unix" else parts.path.strip("/")
    if not all(text.isdecimal() for text in [number, *query.get("db", [])] if text):
        return "has a database that is not a number"
    return None


def in_url(host: str) -> str | None:
    """A host as it is written in a URL: IPv6 addresses in brackets. None if it is not a host."""
    bare = host.removeprefix("[").removesuffix("]")
    if ":" in bare:
        try:
            IPv6Address(bare)
        except ValueError:
            return None
        return f"[{bare}]"
    return host if HOST.fullmatch(host) else None


def family_of(host: str) -> AddressFamily:
    """The address family of sockets on a host; IPv4 if it has both. Raises OSError if it has none."""
    found = {family for family, *_ in getaddrinfo(host, None, type=SOCK_STREAM)}
    return AddressFamily.AF_INET if AddressFamily.AF_INET in found else AddressFamily.AF_INET6
