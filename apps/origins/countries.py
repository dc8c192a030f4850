"""The country of a visitor: of a proxy's header, of a file of addresses, or of the page's timezone.

The address is looked up and forgotten: neither stored, nor logged, nor part of what is cached.
"""

import re
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import maxminddb

from apps.access.proxies import Proxies
from db.settings import Settings, SettingsError

CODE = re.compile(r"[A-Za-z]{2}", re.ASCII)
#: What proxies send for an unknown country, for Tor, and where there is no country.
NOWHERE = frozenset(("XX", "T1", "ZZ", "A1", "A2", "AP", "EU"))
ALIASES = {"UK": "GB", "EL": "GR"}
#: Names of countries that ISO 3166 spells otherwise, in small letters.
NAMES = {
    "czechia": "CZ",
    "great britain": "GB",
    "holland": "NL",
    "the netherlands": "NL",
    "türkiye": "TR",
    "united kingdom": "GB",
    "united states of america": "US",
    "usa": "US",
}
LONGEST_NAME = 64
#: Older names of zones whose rules are now those of a place in another country.
ZONES = {
    "Africa/Asmera": "ER",
    "Africa/Timbuktu": "ML",
    "America/Coral_Harbour": "CA",
    "America/Virgin": "VI",
    "Antarctica/South_Pole": "AQ",
    "Atlantic/Jan_Mayen": "SJ",
    "Pacific/Ponape": "FM",
    "Pacific/Truk": "FM",
    "Pacific/Yap": "FM",
}


def country_code(given: Any) -> str | None:
    """A country as ISO 3166-1 has it, in two capitals, also of its English name; None for anything else."""
    if not isinstance(given, str) or len(given) > LONGEST_NAME:
        return None
    given = given.strip()
    if not CODE.fullmatch(given):
        return _names().get(given.casefold())
    code = given.upper()
    return None if code in NOWHERE else ALIASES.get(code, code)


def country_of_zone(timezone: Any) -> str | None:
    """The country of a zone such as Europe/Berlin, under old names too; None for UTC and what is none."""
    return _zones().get(timezone) if isinstance(timezone, str) else None


class Countries:
    """Countries of requests. Raises SettingsError if GEOIP_DATABASE is no file that can be read."""

    def __init__(self, settings: Settings) -> None:
        self.header = settings.country_header.lower().encode() if settings.country_header else None
        self.proxies = Proxies(settings)
        self.database = _opened(settings.geoip_database) if settings.geoip_database else None
        #: Whether a request can say a country.
        self.by_request = self.header is not None or self.database is not None

    def of_request(self, scope: Any, headers: dict[bytes, bytes]) -> str | None:
        """By the header of a proxy in front, else by the address of the request."""
        if self.header and (given := headers.get(self.header)) and self.proxies.are_before(scope):
            country = _of_header(given[:8])
            if country:
                return country
        if self.database is None:
            return None
        client = scope.get("client")
        return self.of_address(client[0]) if client else None

    def of_address(self, address: str) -> str | None:
        """By the file; None without one."""
        if self.database is None:
            return None
        try:
            found: Any = self.database.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):  # no address, or one of IPv6 in a file of IPv4
            return None
        return _of_record(found) if isinstance(found, dict) else None


@lru_cache(maxsize=1024)
def _of_header(given: bytes) -> str | None:
    return country_code(given.decode("latin-1"))


def _of_record(record: dict[str, Any]) -> str | None:
    """Of MaxMind's and DB-IP's files `country.iso_code`, of others `country_code` or `country`."""
    for name in ("country", "country_code", "registered_country"):
        found = record.get(name)
        if code := country_code(found.get("iso_code") if isinstance(found, dict) else found):
            return code
    return None


def _opened(path: Any) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"GEOIP_DATABASE is {str(path)!r}: it should be a file of countries in MaxMind's format (.mmdb): {reason}"
        ) from None


@cache
def _names() -> dict[str, str]:
    lines = _tzdata("iso3166.tab")
    return {name.casefold(): code for code, name in (line.split("\t") for line in lines if line[:1] != "#")} | NAMES


def _tzdata(name: str) -> list[str]:
    return resources.files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8").splitlines()


@cache
def _zones() -> dict[str, str]:
    """Zones of tzdata, and the country that is most of them."""
    zones = {}
    for line in _tzdata("zone.tab"):
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones[zone] = country
    links = {}
    for line in _tzdata("tzdata.zi"):
        if line.startswith("L "):
            _, target, name = line.split()
            if "/" in name and target in zones:  # CET is no place
                links[name] = zones[target]
    return links | ZONES | zones
