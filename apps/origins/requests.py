"""The country of a request: of a proxy's header, or of a file of addresses.

The address is looked up and forgotten: neither stored, nor logged, nor part of what is cached.
"""

from functools import lru_cache
from typing import Any

import maxminddb

from apps.access.proxies import Proxies
from apps.origins.countries import country_code
from db.settings import Settings, SettingsError


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
