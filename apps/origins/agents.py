"""The device, browser and system of a visitor, by the user agent and client hints, and the language.

Families are those of ua-parser (https://github.com/ua-parser), in fewer names: `Chrome Mobile iOS` is Chrome. A user
agent that was not seen before costs tenths of a millisecond, so all are cached by their text.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from db.events.fitting import cut_text, storable
from db.events.known import MAX_MEMBER, Agent

#: Characters of a user agent, of its hints and of a list of languages that are looked at: what is cached is bounded.
USER_AGENT, HINT, LANGUAGES = 400, 200, 100
CACHED = 4096
#: How user agents of browsers begin; anything else is a program, which is not what a visitor has.
BROWSERS = ("Mozilla/", "Opera/")

#: ua-parser's families of browsers that have another name here.
BROWSER_NAMES = {
    "Android": "Android Browser",
    "Apple Mail": "WebView",  # so it is on a Mac
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "WebView",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Edge Mobile": "Edge",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "IE": "Internet Explorer",
    "IE Mobile": "Internet Explorer",
    "MiuiBrowser": "Mi Browser",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "WebView",
    "Opera Coast": "Opera",
    "Opera Mini": "Opera",
    "Opera Mobile": "Opera",
    "Opera Tablet": "Opera",
    "Opera Touch": "Opera",
    "QQ Browser Mobile": "QQ Browser",
    "VivoBrowser": "Vivo Browser",
}
OS_NAMES = {
    "ATV OS X": "tvOS",
    "Chrome OS": "ChromeOS",
    "Mac OS X": "macOS",
    "Web0S": "webOS",
    **dict.fromkeys(
        ("Arch Linux", "CentOS", "Debian", "Fedora", "Gentoo", "Kubuntu", "Linux Mint", "Mandriva", "Red Hat"), "Linux"
    ),
    **dict.fromkeys(("Slackware", "SUSE", "Ubuntu", "VRE"), "Linux"),
}
#: Brands in Sec-CH-UA whose user agent is that of another, mostly of Chrome.
BRANDS = {
    "Android WebView": "WebView",
    "Brave": "Brave",
    "DuckDuckGo": "DuckDuckGo",
    "Microsoft Edge": "Edge",
    "Opera": "Opera",
    "Opera GX": "Opera",
    "Samsung Internet": "Samsung Internet",
    "Vivaldi": "Vivaldi",
    "YaBrowser": "Yandex Browser",
}
#: Sec-CH-UA-Platform.
PLATFORMS = {
    "Android": "Android",
    "Chrome OS": "ChromeOS",
    "Chromium OS": "ChromeOS",
    "Linux": "Linux",
    "Windows": "Windows",
    "iOS": "iOS",
    "macOS": "macOS",
}
BRAND = re.compile(r'"([^"]{1,40})";\s?v=')

DESKTOPS = frozenset(("ChromeOS", "FreeBSD", "Linux", "NetBSD", "OpenBSD", "Solaris", "Windows", "macOS"))
#: Kinds of devices by the first of these that a user agent has.
DEVICES = [
    (kind, re.compile(expression, re.IGNORECASE))
    for kind, expression in [
        ("console", r"PlayStation|Nintendo|Xbox"),
        (
            "tv",
            r"\btv\b|smart-?tv|googletv|appletv|hbbtv|netcast|web0s|bravia|roku|crkey|viera|vidaa|\baft[a-z]{1,4}\b",
        ),
        ("tablet", r"iPad"),
        ("mobile", r"iPhone|iPod|Opera Mini|Opera Mobi|Windows Phone|IEMobile"),
        # A tablet with Android says no `Mobile`.
        ("tablet", r"^(?!.*mobi|dalvik).*android|tablet(?! pc)|playbook|kindle|\bsm-[tx]\d|\bkf[a-z]{2,5}\b|mediapad"),
        ("mobile", r"mobi|android|blackberry|\bbb10\b|kaios|symbian|palm|webos"),
    ]
]

NO_FAMILIES = ("Other", "Other", "Other")
LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3})(?=[-_;,\s]|$)")


def load() -> None:
    """Read ua-parser's expressions, which takes a second: at the start, not with the first event."""
    _parser()("Mozilla/5.0")


def is_browser(user_agent: str) -> bool:
    """Whether a user agent claims to be a visitor's browser."""
    return user_agent.startswith(BROWSERS)


def agent_of(user_agent: str, *, language: str = "") -> Agent | None:
    """What a user agent in an event says, and a list of languages; None if nothing."""
    return _agent(user_agent[:USER_AGENT], "", "", "", language[:LANGUAGES])


@lru_cache(maxsize=CACHED)
def agent_of_headers(
    user_agent: bytes, brands: bytes, mobile: bytes, platform: bytes, languages: bytes
) -> Agent | None:
    """What the headers of a browser say, each cut by the caller; None if it is no browser."""
    text = user_agent.decode("latin-1")
    if not is_browser(text):
        return None
    return _agent(text, *(value.decode("latin-1") for value in (brands, mobile, platform, languages)))


def language_of(languages: str) -> str | None:
    """The first language of Accept-Language or of a locale, as `de` of `de-DE,de;q=0.9`."""
    found = LANGUAGE.match(languages[:LANGUAGES])
    return found[1].lower() if found else None


@lru_cache(maxsize=CACHED)
def _agent(user_agent: str, brands: str, mobile: str, platform: str, languages: str) -> Agent | None:
    language = language_of(languages)
    browser, os, device = _families(user_agent) if user_agent.strip() else NO_FAMILIES
    if os == "Other" and not is_browser(user_agent):  # a program, and not an app of a phone, which says the system
        return Agent(language=language) if language else None
    # WhatsApp's crawler claims to be no browser; what does is its app.
    is_bot = (device == "Spider" and browser != "WhatsApp") or "Headless" in browser + brands
    browser = BROWSER_NAMES.get(browser, browser)
    browser = next((BRANDS[one] for one in BRAND.findall(brands) if one in BRANDS), browser)
    os = PLATFORMS.get(platform.strip('"'), OS_NAMES.get(os, os))
    agent = Agent(
        device="bot" if is_bot else _device(user_agent, os, mobile),
        browser=_fit(browser),
        os=_fit(os),
        language=language,
    )
    return None if agent == Agent() else agent


def _device(user_agent: str, os: str, mobile: str) -> str | None:
    kind = next((kind for kind, expression in DEVICES if expression.search(user_agent)), None)
    if kind is None:
        kind = "desktop" if os in DESKTOPS else "mobile" if os == "iOS" else None
    if mobile == "?1" and kind in (None, "desktop"):
        return "mobile"
    if os == "Android" and kind in (None, "desktop"):  # a tablet that asks for pages of desktops
        return "tablet"
    return kind


def _fit(family: str) -> str | None:
    return None if family == "Other" else cut_text(storable(family), MAX_MEMBER) or None


def _families(user_agent: str) -> tuple[str, str, str]:
    """ua-parser's families of browser, system and device; `Other` where it knows none."""
    found = _parser()(user_agent)
    return tuple(part.family if part else "Other" for part in (found.user_agent, found.os, found.device))  # type: ignore[return-value]


@cache
def _parser() -> Callable[[str], Any]:
    # Imported here: only ingestion needs it, and its expressions take some 30 MB.
    from ua_parser import Domain
    from ua_parser.loaders import load_lazy_builtins
    from ua_parser.regex import Resolver

    resolver = Resolver(load_lazy_builtins())
    return lambda user_agent: resolver(user_agent, Domain.ALL)
