"""Access logs in Apache's combined format (https://httpd.apache.org/docs/2.4/logs.html#combined), and their events.

Also with the host before it (vhost_combined), and with a list of addresses behind proxies: the first is the visitor.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from apps.events.url_path import path_of_target
from apps.importing.files.records import Fields, Refused, Skipped

QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
# Behind the combined format's nine values some servers write more, such as the time that the request took.
LINE = re.compile(
    r"(?:([^\s,]+) (?!-))?([^\s,]+)(?:, ?[^\s,]+)* \S+ \S+"
    rf" \[([^\]]+)\] {QUOTED} (\d{{3}}) (?:\d+|-) {QUOTED} {QUOTED}(?: .*)?",
    re.DOTALL,
)
TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)", re.ASCII)
METHOD = re.compile(r"[A-Za-z_-]+", re.ASCII)
#: A quote or a backslash, or bytes that are these or are not ASCII: as Apache and nginx write them.
ESCAPED = re.compile(r'\\(["\\])|((?:\\x(?:22|5[Cc]|[89A-Fa-f][0-9A-Fa-f]))+)', re.ASCII)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: What a page loads, programs fetch or people download: no pages, as far as a path can tell.
STATIC = re.compile(
    r"\.(?:css|js|mjs|map|wasm|json|xml|rss|atom|txt|webmanifest"
    r"|avif|bmp|cur|gif|ico|jpe?g|png|svgz?|tiff?|webp"
    r"|eot|otf|ttf|woff2?"
    r"|avi|flv|m4a|m4v|mov|mp3|mp4|mpe?g|oga|ogg|ogv|swf|wav|webm"
    r"|7z|bz2|csv|dmg|exe|gz|iso|jar|msi|pdf|rar|tar|tgz|xz|zip)$",
    re.ASCII | re.IGNORECASE,
)


def read_line(line: bytes) -> dict[str, Any]:
    """The values of a line, or Refused. What is not UTF-8 in it is replaced: a user agent may hold anything."""
    match = LINE.fullmatch(line.decode(errors="replace"))
    if not match:
        raise Refused("it is not a line of the combined log format")
    names = ("host", "address", "time", "request", "status", "referrer", "user_agent")
    return dict(zip(names, match.groups(), strict=True))


class LogEvents:
    """Makes page views for one site, and with `all_requests` an event of the type `request` of every other request.

    `bots`: whether to drop, mark or keep what bots requested, as the setting BOTS says for SDKs.
    """

    def __init__(self, site: str, *, all_requests: bool, bots: str) -> None:
        # Here, as it compiles a list that no other import needs.
        from apps.sdks.shared.bots import is_bot

        self.site = site
        self.all_requests = all_requests
        self.bots = bots
        self.is_bot = is_bot

    def event(self, values: dict[str, Any]) -> Fields:
        """The event of a line's values, without an id. Raises Refused and Skipped."""
        method, _, rest = values["request"].partition(" ")
        path = path_of_target(rest.rpartition(" HTTP/")[0] or rest)  # HTTP/0.9 does not say what it is
        if path is None or not METHOD.fullmatch(method):
            raise Skipped("no request for a path")
        status = int(values["status"])
        fault = _no_page_view(method, status, path)
        if fault and not self.all_requests:
            raise Skipped(fault)
        user_agent = _unescaped(values["user_agent"])
        bot = self.bots != "keep" and self.is_bot(visitor=user_agent, caller="")
        if bot and self.bots == "drop":
            raise Skipped("bot, by its user agent (--bots keep imports them)")
        properties = {
            "status": status,
            "method": method if fault else "",
            "referrer": _unescaped(values["referrer"]),
            "user_agent": user_agent,
            "host": (values["host"] or "").removesuffix(":80").removesuffix(":443"),
        }
        if bot:
            properties["bot"] = True
        return {
            "site_id": self.site,
            "event_type": "request" if fault else "page_view",
            "path": _unescaped(path),
            "timestamp": _time(values["time"]),
            "user_id": self._user_id(values["address"], values["user_agent"]),
            "properties": {name: value for name, value in properties.items() if value not in ("", "-")},
        }

    def _user_id(self, address: str, user_agent: str) -> str:
        return sha256(f"{self.site}\0{address}\0{user_agent}".encode()).hexdigest()[:32]


def _no_page_view(method: str, status: int, path: str) -> str | None:
    """Why a request is no page view, or None."""
    if method != "GET":
        return "method: not GET"
    if not (200 <= status <= 299 or status == 304):
        return "status: not 200 to 299 or 304"
    if STATIC.search(path):
        return "static file: not a page"
    return None


@lru_cache(maxsize=1024)
def _time(text: str) -> datetime:
    """Such as 10/Oct/2000:13:55:36 -0700, in UTC. Neighbouring lines often have the same."""
    try:
        if match := TIME.fullmatch(text):
            day, month, year, clock, hours, minutes = match.groups()
            number = MONTHS.index(month) + 1
            return datetime.fromisoformat(f"{year}-{number:02}-{day}T{clock}{hours}:{minutes}").astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Refused("its time is not like 10/Oct/2000:13:55:36 -0700")


def _unescaped(text: str) -> str:
    """Without the backslashes before quotes and backslashes, and with the UTF-8 that \\xhh stand for.

    Other \\xhh stay as they are: they may be anything.
    """
    return ESCAPED.sub(_meant, text) if "\\" in text else text


def _meant(match: re.Match[str]) -> str:
    if match[1]:
        return match[1]
    try:
        return bytes.fromhex(match[2].replace("\\x", "")).decode()
    except ValueError:
        return match[0]
