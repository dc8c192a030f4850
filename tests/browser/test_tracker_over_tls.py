"""Our script as shops have it: over https, on another origin, for a visit with all that can go wrong on the way."""

import ssl
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.faults import Faults
from tests.browser.shop import Shop, web_shop
from tests.browser.test_tracker import script
from tests.conftest import Connection
from tests.servers.flaky_proxy import FlakyProxy, flaky_proxy
from tests.servers.servers import until
from tests.servers.serving import Served
from tests.system.test_sdks import stored

pytestmark = pytest.mark.usefixtures("worker")

#: What becomes of a visit's first requests.
WEATHERS = {
    "fair": [],
    "refused": ["503", "503"],
    "dropped": ["dropped", "dropped"],
    "unheard": ["lost", "lost", "lost"],
    "all": ["503", "lost", "dropped", "lost", "503"],
}


@pytest.fixture(scope="module")
def secure_pages(tls: ssl.SSLContext) -> Iterator[Shop]:
    with web_shop(tls) as pages:
        yield pages


def visit(page: Page, pages: Shop, proxy: FlakyProxy) -> Counter[tuple[str, str]]:
    """A visit; what of it should be counted."""
    page.goto(f"{pages.url}/")
    page.evaluate("history.pushState({}, '', '/chairs')")
    page.evaluate("history.replaceState({}, '', '/lamps')")
    page.evaluate("history.back()")
    page.wait_for_url(f"{pages.url}/")
    until(lambda: not proxy.failures)  # it has come through all that is in its way
    page.reload()
    page.evaluate("for (let n = 0; n < 20; n++) tjra.track('look', {n})")
    page.evaluate("tjra.track('left')")
    page.goto(f"{pages.url}/elsewhere")
    return Counter({("page_view", "/"): 3, ("page_view", "/chairs"): 1, ("page_view", "/lamps"): 1}) + Counter(
        {("look", "/"): 20, ("left", "/"): 1}
    )


@pytest.mark.parametrize("weather", WEATHERS)
def test_all_of_a_visit_is_stored_once(
    ingestion_server: Served,
    conn: Connection,
    page: Page,
    secure_pages: Shop,
    tls: ssl.SSLContext,
    shop: str,
    weather: str,
) -> None:
    faults = Faults(page)
    with flaky_proxy(ingestion_server.url, WEATHERS[weather], tls=tls) as proxy:
        secure_pages.head = script(proxy, shop)
        expected = visit(page, secure_pages, proxy)
        events = stored(conn, shop, count=expected.total())
    assert Counter((event["event_type"], event["path"]) for event in events) == expected
    assert {event["properties"]["n"] for event in events if event["event_type"] == "look"} == set(range(20))
    assert len({event["user_id"] for event in events}) == 1
    if weather == "fair":
        # A request under way when its page is left is cut off; a beacon has it as well.
        assert [fault for fault in faults.found if "ERR_ABORTED" not in fault] == []


def test_two_visitors_of_one_shop_are_told_apart_by_their_own_names(
    ingestion_server: Served,
    conn: Connection,
    context: BrowserContext,
    secure_pages: Shop,
    tls: ssl.SSLContext,
    shop: str,
) -> None:
    with flaky_proxy(ingestion_server.url, tls=tls) as proxy:
        secure_pages.head = script(proxy, shop)
        for user in ("ann", "bob"):
            page = context.new_page()
            page.goto(f"{secure_pages.url}/")
            page.evaluate(f"tjra.identify('{user}'); tjra.track('order', {{revenue: 10, currency: 'EUR'}})")
            page.goto(f"{secure_pages.url}/elsewhere")
            page.close()
        events = [event for event in stored(conn, shop, count=6) if event["event_type"] == "order"]
    assert [event["user_id"] for event in events] in (["ann", "bob"], ["bob", "ann"])
