"""Countries: as programs write them, and where a timezone is."""

import re
from functools import cache
from importlib import resources
from typing import Any

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
