"""One visit of a browser says the same in every protocol; a program says nothing of a visitor unless it names one."""

from typing import Any

import httpx
import pytest

from apps.origins.deriving import Deriving
from apps.sdks.shared.resources import SdkResources
from db.settings import Settings
from tests.servers.queue import queued

QUERY = "utm_source=google&utm_medium=cpc&utm_campaign=lamps&utm_term=desk&utm_content=a&gclid=Cj0"
PAGE = f"https://shop.example/lamp?{QUERY}"
REFERRER = "https://www.google.de/"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1"
)
BROWSER = {"user-agent": IPHONE, "accept-language": "de-DE,de;q=0.9", "origin": "https://shop.example"}
AGENT = {"country": "DE", "device": "mobile", "browser": "Safari", "os": "iOS", "language": "de"}
ORIGIN = {
    "source": "google", "medium": "cpc", "campaign": "lamps", "term": "desk", "content": "a", "referrer": "google.de",
    "channel": "Paid Search",
}  # fmt: skip
UTM = {f"utm_{name}": ORIGIN[name] for name in ("source", "medium", "campaign", "term", "content")}
ZONE = "Europe/Berlin"

SEGMENT = {
    "type": "page",
    "anonymousId": "a",
    "context": {
        "page": {"path": "/lamp", "url": "https://shop.example/lamp", "search": f"?{QUERY}", "referrer": REFERRER},
        "userAgent": IPHONE, "locale": "de-DE", "timezone": ZONE,
        "campaign": {"name": "lamps", "source": "google", "medium": "cpc", "term": "desk", "content": "a"},
    },
}  # fmt: skip
EVENT = {"site_id": "SITE", "event_type": "page_view", "path": "/lamp"}
PROPERTIES = {"referrer": REFERRER, "timezone": ZONE}
POSTHOG = {
    "event": "$pageview",
    "distinct_id": "a",
    "properties": {"$current_url": PAGE, "$referrer": REFERRER, "$timezone": ZONE, "$browser_language": "de-DE"},
}
UMAMI = {
    "type": "event",
    "payload": {"website": "SITE", "hostname": "shop.example", "url": PAGE.removeprefix("https://shop.example"),
                "referrer": REFERRER, "language": "de-DE"},
}  # fmt: skip
TRACKED = {"event_type": "page_view", "path": "/lamp"}

#: The same page view in each protocol: path, body, and whether it says the page's timezone.
VIEWS: list[tuple[str, Any, bool]] = [
    ("/event", EVENT | {"properties": PROPERTIES | UTM}, True),
    ("/event", EVENT | {"properties": PROPERTIES | {"url": PAGE}}, True),
    ("/event", EVENT | {"path": PAGE.removeprefix("https://shop.example"), "properties": PROPERTIES}, True),
    ("/events", [EVENT | {"properties": PROPERTIES | UTM}], True),
    ("/tracker", {"site_id": "SITE", "timezone": ZONE, "language": "de-DE",
                  "events": [TRACKED | {"properties": {"referrer": REFERRER} | UTM}]}, True),
    ("/v1/batch", {"writeKey": "SITE", "batch": [SEGMENT]}, True),
    ("/v1/page", SEGMENT | {"writeKey": "SITE"}, True),
    ("/api/s/page", SEGMENT | {"writeKey": "SITE"}, True),
    ("/api/s/s2s/batch", {"writeKey": "SITE", "batch": [SEGMENT]}, True),
    ("/batch", {"api_key": "SITE", "batch": [POSTHOG]}, True),
    ("/e/", POSTHOG | {"api_key": "SITE"}, True),
    ("/i/v1/analytics/events", {"api_key": "SITE", "batch": [POSTHOG]}, True),
    ("/api/event", {"d": "SITE", "n": "pageview", "u": PAGE, "r": REFERRER}, False),
    ("/api/send", UMAMI, False),
    ("/api/batch", [UMAMI], False),
]  # fmt: skip
views = pytest.mark.parametrize(
    ("path", "body", "zone"), VIEWS, ids=[f"{i} {path}" for i, (path, *_) in enumerate(VIEWS)]
)


def put(body: Any, site: str) -> Any:
    """The body with the site in it."""
    if isinstance(body, dict):
        return {name: put(one, site) for name, one in body.items()}
    if isinstance(body, list):
        return [put(one, site) for one in body]
    return site if body == "SITE" else body


@pytest.fixture
def behind_a_proxy(sdk_resources: SdkResources, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in front that names the country."""
    events = sdk_resources.events
    settings = Settings(country_header="CF-IPCountry", forwarded_allow_ips="testclient")
    monkeypatch.setattr(events, "deriving", Deriving(settings, events.snapshots))


def sent(ingestion: httpx.Client, site: str, path: str, body: Any, headers: dict[str, str]) -> tuple[Any, Any]:
    """What the queue has as the agent and the origin of the event."""
    answer = ingestion.post(path, json=put(body, site), headers=headers)
    assert answer.is_success, answer.text
    (event,) = queued(site)
    return event.get("agent"), event.get("origin")


@views
def test_a_visit_from_an_ad_is_the_same_in_every_protocol(
    ingestion: httpx.Client, shop: str, path: str, body: Any, zone: bool
) -> None:
    agent = AGENT if zone else {name: one for name, one in AGENT.items() if name != "country"}
    assert sent(ingestion, shop, path, body, BROWSER) == (agent, ORIGIN)


@pytest.mark.usefixtures("behind_a_proxy")
@views
def test_a_proxy_may_name_the_country_in_every_protocol(
    ingestion: httpx.Client, shop: str, path: str, body: Any, zone: bool
) -> None:
    agent, origin = sent(ingestion, shop, path, body, BROWSER | {"cf-ipcountry": "AT"})
    assert (agent, origin) == (AGENT | {"country": "AT"}, ORIGIN)


@views
def test_the_language_that_a_protocol_says_goes_before_that_of_the_request(
    ingestion: httpx.Client, shop: str, path: str, body: Any, zone: bool
) -> None:
    agent, _ = sent(ingestion, shop, path, body, BROWSER | {"accept-language": "fr"})
    assert agent["language"] == ("fr" if path in ("/event", "/events", "/api/event") else "de")


def test_the_image_says_where_its_page_was_come_to_from(ingestion: httpx.Client, shop: str) -> None:
    ingestion.get("/pixel.gif", params={"site": shop}, headers=BROWSER | {"referer": PAGE})
    (event,) = queued(shop)
    assert event["agent"] == {name: one for name, one in AGENT.items() if name != "country"}
    assert event["origin"] == {name: one for name, one in ORIGIN.items() if name != "referrer"}


SERVER = {"user-agent": "python-requests/2.32", "accept-language": "fr", "cf-ipcountry": "FR"}
TRACK = {"type": "track", "event": "Order Completed", "userId": "ann"}
OF_ITS_MACHINE = {"$lib": "posthog-python", "$os": "Linux", "$device_type": "Desktop"}
SERVER_CALLS: list[tuple[str, Any]] = [
    ("/event", EVENT),
    ("/events", [EVENT | {"properties": {"timezone": ZONE}}]),
    ("/v1/batch", {"writeKey": "SITE", "batch": [TRACK], "context": {"library": {"name": "analytics-node"}}}),
    ("/batch", {"api_key": "SITE", "batch": [{"event": "x", "distinct_id": "ann", "properties": OF_ITS_MACHINE}]}),
    ("/api/send", {"type": "event", "payload": {"website": "SITE", "name": "x", "id": "ann"}}),
    ("/tracker", {"site_id": "SITE", "events": [TRACKED]}),
]  # fmt: skip


@pytest.mark.usefixtures("behind_a_proxy")
@pytest.mark.parametrize(("path", "body"), SERVER_CALLS, ids=[path for path, _ in SERVER_CALLS])
def test_a_program_is_no_visitors_agent(ingestion: httpx.Client, shop: str, path: str, body: Any) -> None:
    assert sent(ingestion, shop, path, body, SERVER) == (None, None)


@pytest.mark.parametrize(
    ("context", "agent"),
    [
        ({"userAgent": IPHONE}, {"device": "mobile", "browser": "Safari", "os": "iOS"}),
        ({"locale": "de-AT"}, {"language": "de"}),
        ({"timezone": "Europe/Vienna"}, {"country": "AT"}),
        ({"location": {"country": "Austria"}, "timezone": ZONE}, {"country": "AT"}),
        ({"os": {"name": "iPhone OS"}, "device": {"type": "ios"}}, {"device": "mobile", "os": "iOS"}),
        ({"os": {"name": "Android"}, "locale": "fr"}, {"device": "mobile", "os": "Android", "language": "fr"}),
        ({"os": {"name": "Linux"}, "device": {"type": 7}, "userAgent": [], "locale": {}, "timezone": 1}, None),
        ({"userAgent": "python-requests/2.32"}, None),
        ({"userAgent": "python-requests/2.32", "locale": "de"}, {"language": "de"}),
    ],
    ids=str,
)
def test_a_server_may_name_its_visitor(ingestion: httpx.Client, shop: str, context: Any, agent: Any) -> None:
    body = {"writeKey": "SITE", "batch": [TRACK | {"context": context}]}
    assert sent(ingestion, shop, "/v1/batch", body, SERVER) == (agent, None)


@pytest.mark.parametrize("path", ["/event", "/events", "/tracker"])
def test_what_a_client_says_itself_goes_before_member_by_member(ingestion: httpx.Client, shop: str, path: str) -> None:
    said = {"agent": {"country": "CH", "os": "iPadOS"}, "origin": {"campaign": "winter", "channel": "Fairs"}}
    event = EVENT | said | {"properties": PROPERTIES | UTM}
    body: Any = {"/event": event, "/events": [event], "/tracker": {"site_id": "SITE", "events": [event]}}[path]
    assert sent(ingestion, shop, path, body, BROWSER) == (AGENT | said["agent"], ORIGIN | said["origin"])


@pytest.mark.parametrize("said", [7, "x", [], {"country": 7, "source": "a\0b"}, {"device": "x" * 256, "new": 1}])
def test_a_bad_member_costs_neither_the_event_nor_what_is_derived(
    ingestion: httpx.Client, shop: str, said: Any
) -> None:
    body = {"site_id": "SITE", "events": [TRACKED | {"agent": said, "origin": said}]}
    agent, origin = sent(ingestion, shop, "/tracker", body, BROWSER)
    assert (agent["device"], origin) == ("mobile", None)


def test_a_page_of_the_site_is_no_referrer(
    ingestion: httpx.Client,
    shop: str,
    sdk_resources: SdkResources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from apps.access.snapshots import Known
    from db.access.snapshot import SiteRules, Snapshot

    rules = SiteRules(shop, origins=["https://other-name.example", "https://shop.example"])
    monkeypatch.setattr(sdk_resources.events.snapshots, "known", Known(Snapshot(sites=[rules])))
    for referrer, page in [
        ("https://www.other-name.example/cart", None),
        ("https://pay.shop.example/", None),
        ("https://third.example/", "https://third.example/a"),
        ("https://blog.example/", "https://third.example/a"),
    ]:
        properties = {"referrer": referrer} | ({"url": page} if page else {})
        ingestion.post("/event", json=put(EVENT | {"properties": properties}, shop), headers=BROWSER)
    found = {one["properties"]["referrer"] for one in queued(shop) if "origin" in one}
    assert (found, len(queued(shop))) == ({"https://blog.example/"}, 4)


def test_a_site_that_is_called_as_its_host_is_none_either(ingestion: httpx.Client, shop: str) -> None:
    site = f"{shop}.example"
    event = EVENT | {"properties": {"referrer": f"https://www.{site}/a"}}
    assert sent(ingestion, site, "/event", event, {"user-agent": "curl/8"}) == (None, None)


@pytest.mark.parametrize(
    "header",
    [{"user-agent": "Mozilla/5.0 " + "(" * 7_000}, {"accept-language": "d" * 7_000}, {"sec-ch-ua": '"' * 7_000},
     {"referer": "https://shop.example/?utm_source=" + "a" * 7_000}, {"referer": "?" * 7_000}, {"origin": "null"},
     {"sec-ch-ua-platform": '"\xe4"', "sec-ch-ua-mobile": "?" * 99}],
    ids=str,
)  # fmt: skip
def test_hostile_headers_cost_no_event(ingestion: httpx.Client, shop: str, header: dict[str, str]) -> None:
    headers = [(name.encode(), one.encode("latin-1")) for name, one in (BROWSER | header).items()]
    answer = ingestion.post("/event", json=put(EVENT, shop), headers=headers)
    assert answer.status_code == 202, answer.text
    (event,) = queued(shop)
    for member in [*event.get("agent", {}).values(), *event.get("origin", {}).values()]:
        assert len(member.encode()) <= 255
