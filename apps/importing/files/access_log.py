"""Access logs in Apache's combined format (https://httpd.apache.org/docs/2.4/logs.html#combined), and their events.

Also with the host in front (vhost_combined), and with a list of addresses added by proxies: the first is the visitor's.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from apps.events.url_path import path_of_target
from apps.importing.files.records import Fields, Refused, Skipped
from apps.origins.agents import agent_of
from apps.origins.origins import CLICK, UTM, marks_of

QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
# After the nine values of the combined format some servers write more, such as the duration of the request.
LINE = re.compile(
    r"(?:([^\s,]+) (?!-))?([^\s,]+)(?:, ?[^\s,]+)* \S+ \S+"
    rf" \[([^\]]+)\] {QUOTED} (\d{{3}}) (?:\d+|-) {QUOTED} {QUOTED}(?: .*)?",
    re.DOTALL,
)
TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)", re.ASCII)
METHOD = re.compile(r"[A-Za-z_-]+", re.ASCII)
#: Escapes of Apache and nginx: of quotes, backslashes and bytes that are not ASCII.
ESCAPED = re.compile(r'\\(["\\])|((?:\\x(?:22|5[Cc]|[89A-Fa-f][0-9A-Fa-f]))+)', re.ASCII)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: Paths of files that pages load, programs fetch or people download, and so are not pages.
STATIC = re.compile(
    r"\.(?:css|js|mjs|map|wasm|json|xml|rss|atom|txt|webmanifest"
    r"|avif|bmp|cur|gif|ico|jpe?g|png|svgz?|tiff?|webp"
    r"|eot|otf|ttf|woff2?"
    r"|avi|flv|m4a|m4v|mov|mp3|mp4|mpe?g|oga|ogg|ogv|swf|wav|webm"
    r"|7z|bz2|csv|dmg|exe|gz|iso|jar|msi|pdf|rar|tar|tgz|xz|zip)$",
    re.ASCII | re.IGNORECASE,
)


def read_line(line: bytes) -> dict[str, Any]:
    """The values of a line. Invalid UTF-8 is replaced: a user agent may contain any bytes. Raises Refused."""
    match = LINE.fullmatch(line.decode(errors="replace"))
    if not match:
        raise Refused("it is not a line of the combined log format")
    names = ("host", "address", "time", "request", "status", "referrer", "user_agent")
    return dict(zip(names, match.groups(), strict=True))


class LogEvents:
    """Makes page views of one site, and with `all_requests` events of the type `request` from all other requests.

    `bots`: whether to drop, mark or keep requests of bots, like the setting BOTS.
    """

    def __init__(self, site: str, *, all_requests: bool, bots: str, host: str | None = None) -> None:
        # Imported here, because it compiles a list that other formats do not need.
        from apps.sdks.shared.bots import is_bot

        self.site = site
        self.host = host
        self.all_requests = all_requests
        self.bots = bots
        self.is_bot = is_bot

    def event(self, values: dict[str, Any]) -> Fields:
        """The event of a line's values, without an id. Raises Refused and Skipped."""
        method, _, rest = values["request"].partition(" ")
        target = rest.rpartition(" HTTP/")[0] or rest  # HTTP/0.9 has no version
        path = path_of_target(target)
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
            "host": (values["host"] or self.host or "").removesuffix(":80").removesuffix(":443"),
            **_marks(_unescaped(target)),
        }
        if bot:
            properties["bot"] = True
        agent = agent_of(user_agent)
        return {
            "site_id": self.site,
            "event_type": "request" if fault else "page_view",
            "path": _unescaped(path),
            "timestamp": _time(values["time"]),
            "visitor_id": self._visitor_id(values["address"], values["user_agent"]),
            "properties": {name: value for name, value in properties.items() if value not in ("", "-")},
            **({"agent": agent} if agent else {}),
        }

    def _visitor_id(self, address: str, user_agent: str) -> str:
        return sha256(f"{self.site}\0{address}\0{user_agent}".encode()).hexdigest()[:32]


def _marks(target: str) -> dict[str, str]:
    """The campaign in a request's query as properties, and the name of a click's id."""
    marks = marks_of(target)
    return dict(zip(UTM, marks.campaign, strict=True)) | {CLICK: marks.click or ""}


def _no_page_view(method: str, status: int, path: str) -> str | None:
    """Why a request is not a page view, or None."""
    if method != "GET":
        return "method: not GET"
    if not (200 <= status <= 299 or status == 304):
        return "status: not 200 to 299 or 304"
    if STATIC.search(path):
        return "static file: not a page"
    return None


@lru_cache(maxsize=1024)
def _time(text: str) -> datetime:
    """A time such as 10/Oct/2000:13:55:36 -0700, in UTC. Cached, because neighbouring lines often have the same."""
    try:
        if match := TIME.fullmatch(text):
            day, month, year, clock, hours, minutes = match.groups()
            number = MONTHS.index(month) + 1
            return datetime.fromisoformat(f"{year}-{number:02}-{day}T{clock}{hours}:{minutes}").astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Refused("its time is not like 10/Oct/2000:13:55:36 -0700")


def _unescaped(text: str) -> str:
    """Unescape quotes, backslashes, and \\xhh sequences that are valid UTF-8; other \\xhh stay unchanged."""
    return ESCAPED.sub(_unescape, text) if "\\" in text else text


def _unescape(match: re.Match[str]) -> str:
    if match[1]:
        return match[1]
    try:
        return bytes.fromhex(match[2].replace("\\x", "")).decode()
    except ValueError:
        return match[0]
