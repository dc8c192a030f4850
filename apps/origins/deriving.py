"""Give events what is known of them beside what they say: `deriving.complete(event, deriving.sender(scope))`.

Once for a request, and for each of its events what it adds itself. What a client says goes before what is derived.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from apps.access.snapshots import Known, Snapshots
from apps.origins import agents
from apps.origins.countries import country_code, country_of_zone
from apps.origins.origins import LONGEST, NO_MARKS, PROPERTIES, Marks, Origins, marks_among, marks_of
from apps.origins.requests import Countries
from apps.origins.sources import Sources, host_of
from db.events.event import ReceivedEvent
from db.events.known import Agent, Origin
from db.settings import Settings

#: The property that has the page's timezone.
TIMEZONE = "timezone"
#: Objects of clients that say nothing.
NO_AGENT, NO_ORIGIN = Agent(), Origin()
NO_PROPERTIES: dict[str, Any] = {}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the protocol of an SDK says of an event beside its properties; texts of strangers, as they came."""

    url: Any = None
    """The page's address, whole or without a host."""
    referrer: Any = None
    campaign: Mapping[str, Any] | None = None
    """By the names in an address: `utm_source` and so on."""
    user_agent: Any = None
    """The visitor's, if not the sender's."""
    language: Any = None
    timezone: Any = None
    country: Any = None
    address: str | None = None
    device: Any = None
    os: Any = None
    """Of apps, which have no user agent that says so."""


#: Of an event that says all that it knows in its properties.
NOTHING = Told()


class Browser(NamedTuple):
    """What the headers of a request say of the browser that sent it; all empty if it was a program."""

    agent: Agent | None = None
    country: str | None = None
    page: str = ""
    """The address of the page; of one on another host, its host alone."""


PROGRAM = Browser()
#: The headers by which a browser tells of itself.
OF_BROWSERS = frozenset(
    (b"user-agent", b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform", b"accept-language", b"referer", b"origin")
)
#: The properties that tell of an origin, also without a browser.
TELLING = PROPERTIES | {"url"}


class Deriving:
    """By the settings and the sites' own hosts. Raises SettingsError if GEOIP_DATABASE cannot be read."""

    def __init__(self, settings: Settings, snapshots: Snapshots) -> None:
        self.countries = Countries(settings)
        self.origins = Origins(Sources(settings))
        self.snapshots = snapshots
        #: The own hosts of a site by its id and that of the page, as long as its settings are the same.
        self.hosts: dict[tuple[str, str], frozenset[str]] = {}
        self.hosts_of: Known | None = None

    def browser(self, scope: Any) -> Browser:
        """Of the browser that sends a request, which is the visitor's if the events do not say otherwise."""
        headers: dict[bytes, bytes] = dict([header for header in scope["headers"] if header[0] in OF_BROWSERS])
        if not headers and not self.countries.by_request:
            return PROGRAM
        get = headers.get
        browser = _browser(
            get(b"user-agent", b"")[: agents.USER_AGENT],
            get(b"sec-ch-ua", b"")[: agents.HINT],
            get(b"sec-ch-ua-mobile", b"")[: agents.HINT],
            get(b"sec-ch-ua-platform", b"")[: agents.HINT],
            get(b"accept-language", b"")[: agents.LANGUAGES],
            get(b"referer") or get(b"origin", b""),
        )
        if browser is PROGRAM or not self.countries.by_request:
            return browser
        return browser._replace(country=self.countries.of_request(scope, dict(scope["headers"])))

    def complete(self, event: ReceivedEvent, browser: Browser, told: Told = NOTHING) -> None:
        """Give an event its agent and its origin."""
        if told is NOTHING and browser is PROGRAM and _says_nothing(event):
            return
        properties = event.properties or NO_PROPERTIES
        timezone = told.timezone or properties.get(TIMEZONE)
        if told is NOTHING:
            agent = browser.agent
            if agent is not None and (country := browser.country or (timezone and country_of_zone(timezone))):
                agent = _with_country(agent, country)
        else:
            agent = self._agent(browser, told, timezone)
        event.agent = agent if event.agent is None or event.agent == NO_AGENT else _joined(event.agent, agent)
        if event.origin is not None and event.origin == NO_ORIGIN:
            event.origin = None
        event.origin = self._origin(event, browser, told, properties)

    def _agent(self, browser: Browser, told: Told, timezone: Any) -> Agent | None:
        """With what the protocol says of the visitor, who may be another than the sender."""
        agent = browser.agent
        language = _text(told.language)
        if user_agent := _text(told.user_agent):
            agent = agents.agent_of(user_agent)
        elif agent is None and (told.os or told.device):
            agent = _of_app(_text(told.os), _text(told.device))
        country = (
            country_code(told.country)
            or (self.countries.of_address(told.address) if told.address else None)
            or browser.country
            or country_of_zone(timezone)
        )
        known = agents.language_of(language) or (browser.agent.language if browser.agent else None)
        if agent is None and country is known is None:
            return None
        return _with_language(_with_country(agent or Agent(), country), known)

    def _origin(
        self, event: ReceivedEvent, browser: Browser, told: Told, properties: Mapping[str, Any]
    ) -> Origin | None:
        marks, referrer, url = NO_MARKS, "", ""
        if told is not NOTHING:
            referrer, url = _text(told.referrer), _text(told.url)
            if told.campaign:
                marks = marks_among(told.campaign)
        if not PROPERTIES.isdisjoint(properties):
            marks = _first(marks, marks_among(properties))
            referrer = referrer or _text(properties.get("referrer"))
        if not url and "url" in properties:
            url = _text(properties["url"])
        for address in (url, event.path, browser.page):
            if "?" in address or "#" in address:
                marks = _first(marks, marks_of(address))
        if event.origin is None and marks is NO_MARKS and not referrer:
            return None
        page = (url and _host(url)) or (browser.page and _host(browser.page)) or host_of(_text(properties.get("host")))
        own = self._own_hosts(event.site_id, page or "")
        return self.origins.complete(event.origin, marks, referrer, own)

    def _own_hosts(self, site: str, page: str) -> frozenset[str]:
        """The hosts of a site: that of the page, those of its origins, and its id, if that is one."""
        known = self.snapshots.known
        if known is not self.hosts_of or len(self.hosts) > LONGEST:
            self.hosts, self.hosts_of = {}, known
        if (own := self.hosts.get((site, page))) is not None:
            return own
        rules = known.sites.get(site) if known else None
        own = frozenset(filter(None, (page, host_of(site), *map(host_of, (rules and rules.origins) or ()))))
        self.hosts[site, page] = own
        return own


def _says_nothing(event: ReceivedEvent) -> bool:
    """Whether an event has neither agent nor origin, nor anything that tells of one, as most that servers send."""
    return (
        event.agent is None
        and event.origin is None
        and (event.properties is None or TELLING.isdisjoint(event.properties))
        and "?" not in event.path
        and "#" not in event.path
    )


@lru_cache(maxsize=4096)
def _browser(
    user_agent: bytes, brands: bytes, mobile: bytes, platform: bytes, languages: bytes, page: bytes
) -> Browser:
    agent = agents.agent_of_headers(user_agent, brands, mobile, platform, languages)
    return Browser(agent, None, page[:LONGEST].decode("latin-1")) if agent else PROGRAM


def _text(given: Any) -> str:
    return given[:LONGEST] if isinstance(given, str) else ""


@lru_cache(maxsize=4096)
def _host(url: str) -> str | None:
    return host_of(url) if "//" in url else None


def _first(one: Marks, other: Marks) -> Marks:
    """One's marks, and what it lacks of the other's; never half of two campaigns."""
    if one is NO_MARKS:
        return other
    return Marks(one.campaign if any(one.campaign) else other.campaign, one.click or other.click)


@lru_cache(maxsize=4096)
def _with_country(agent: Agent, country: str | None) -> Agent:
    return msgspec.structs.replace(agent, country=country) if country else agent


@lru_cache(maxsize=4096)
def _with_language(agent: Agent, language: str | None) -> Agent:
    return msgspec.structs.replace(agent, language=language) if language else agent


def _joined(said: Agent, derived: Agent | None) -> Agent:
    if derived is None:
        return said
    return Agent(**{name: getattr(said, name) or getattr(derived, name) for name in Agent.__struct_fields__})


#: Systems of apps, by their names in small letters without blanks.
SYSTEMS = {"ios": "iOS", "ipados": "iOS", "iphoneos": "iOS", "android": "Android", "tvos": "tvOS"}


def _of_app(os: str, device: str) -> Agent | None:
    """Of an app, whose SDK says the system and `ios` or `android` as the device."""
    name = SYSTEMS.get((os or device).lower().replace(" ", ""))
    if name is None:
        return None
    kind = "tablet" if "ipad" in (os + device).lower() or device.lower() == "tablet" else "mobile"
    return Agent(device="tv" if name == "tvOS" else kind, os=name)
