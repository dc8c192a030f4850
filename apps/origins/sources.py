"""Which source a host is, and what kind of one: sources.tsv, and the setting SOURCES.

sources.tsv is sorted; a line has a host (or an app's name), the source's name and its category. A host stands for its
subdomains too, `google.*` for Google's hosts under all countries. A line without a dot is what `utm_source` may say.
"""

import re
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from db.settings import Settings

#: The kinds of sources. Those of `payment` are no sources: shops send their customers there, and they come back.
CATEGORIES = frozenset(
    {
        *("affiliate", "ai", "audio", "display", "email", "other", "payment"),
        *("push", "search", "shopping", "sms", "social", "video"),
    }
)
#: Characters of a host, and labels that are looked at.
LONGEST_HOST, LABELS = 253, 8
CACHED = 4096
#: A host of a URL; of an app's, `android-app://com.google.android.gm`, its name.
HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?//(?:[^/?#@\s]*@)?([\w.-]+)(?=[/?#:]|$)")
BARE_HOST = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z0-9-]{2,}", re.ASCII | re.IGNORECASE)
#: What is behind the name of a shop or search engine that has a host in each country: `de`, `co.uk`, `com.br`.
COUNTRY = re.compile(r"(?:com?\.)?[a-z]{2}|com|org|net", re.ASCII)


class Source(NamedTuple):
    """A source that is known."""

    name: str
    category: str | None


class Sources:
    """The known sources, with those of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.table = _table() | _of_setting(settings.sources)
        self.of = lru_cache(maxsize=CACHED)(self._of)

    def _of(self, name: str) -> Source | None:
        """The source of a host or of what `utm_source` says, in small letters."""
        if name in self.table:
            return self.table[name]
        if "." not in name or len(name) > LONGEST_HOST:
            return None
        labels = name.split(".")[-LABELS:]
        for start in range(len(labels) - 1):
            rest = ".".join(labels[start:])
            if found := self.table.get(rest):
                return found
            first, _, country = rest.partition(".")
            if (found := self.table.get(f"{first}.*")) and COUNTRY.fullmatch(country):
                return found
            second, _, country = country.partition(".")
            if (found := self.table.get(f"{first}.{second}.*")) and COUNTRY.fullmatch(country):
                return found
        return None


def host_of(url: str) -> str | None:
    """The host of a URL, or a text that is one, in small letters and without `www.`; None if there is none."""
    found = HOST.match(url)
    host = found[1] if found else url.strip()
    host = host.lower().removesuffix(".").removeprefix("www.")
    if not found and not BARE_HOST.fullmatch(host):
        return None
    return host if 0 < len(host) <= LONGEST_HOST and not host.startswith(".") else None


def _table() -> dict[str, Source]:
    lines = resources.files(__package__).joinpath("sources.tsv").read_text(encoding="utf-8").splitlines()
    table = {}
    for line in lines:
        host, name, category = line.split("\t")
        table[host] = Source(name, category)
    return table


def _of_setting(setting: str) -> dict[str, Source]:
    """`host=name:category`, with commas between several; without a category it is a referral."""
    table = {}
    for one in setting.split(","):
        host, equals, rest = one.partition("=")
        if equals:
            name, _, category = rest.strip().partition(":")
            table[host.strip().lower().removeprefix("www.")] = Source(name.lower(), category or None)
    return table
