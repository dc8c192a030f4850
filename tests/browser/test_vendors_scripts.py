"""The scripts of other vendors as shops have them: over https, with pages, scripts and events on three origins."""

import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.faults import Faults
from tests.browser.published import NotThereError, scripts
from tests.browser.shop import Shop, web_shop
from tests.browser.vendors import VENDORS, Vendor
from tests.conftest import Connection
from tests.servers.flaky_proxy import FlakyProxy, flaky_proxy
from tests.servers.servers import eventually, until
from tests.servers.serving import Served
from tests.system.test_sdks import stored

pytestmark = pytest.mark.usefixtures("worker")

#: Most scripts send nothing from a browser that says that a program drives it.
UNDRIVEN = "Object.defineProperty(navigator, 'webdriver', {get: () => false})"
#: What becomes of the request with the event of that name.
FAILURES = ("503", "dropped", "lost")


@pytest.fixture(scope="module")
def secure_pages(tls: ssl.SSLContext) -> Iterator[Shop]:
    with web_shop(tls) as pages:
        yield pages


@pytest.mark.parametrize("name", VENDORS)
def test_all_that_a_script_sends_of_a_visit_is_stored_once(
    ingestion_server: Served,
    conn: Connection,
    page: Page,
    secure_pages: Shop,
    tls: ssl.SSLContext,
    shop: str,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
    name: str,
) -> None:
    vendor = VENDORS[name]
    if not has_scripts(secure_pages, page, name, pytestconfig, record_property):
        return
    with flaky_proxy(ingestion_server.url, tls=tls) as proxy:
        install(secure_pages, vendor, proxy, shop)
        visit = Visit(conn, page, secure_pages, proxy, vendor, shop)
        visit.make()
        events = stored(conn, shop, count=visit.expected.total())
    assert Counter((event["event_type"], event["path"]) for event in events) == visit.expected
    looks = [int(event["properties"]["n"]) for event in events if event["event_type"] == "look"]
    assert sorted(looks) == list(range(20))
    assert len({event["user_id"] for event in events}) == 1


@pytest.mark.parametrize("name", [name for name, vendor in VENDORS.items() if vendor.identify])
def test_who_logs_in_is_one_person_and_the_next_login_another(
    ingestion_server: Served,
    conn: Connection,
    page: Page,
    secure_pages: Shop,
    tls: ssl.SSLContext,
    shop: str,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
    name: str,
) -> None:
    vendor = VENDORS[name]
    if not has_scripts(secure_pages, page, name, pytestconfig, record_property):
        return
    with flaky_proxy(ingestion_server.url, tls=tls) as proxy:
        install(secure_pages, vendor, proxy, shop)
        page.goto(f"{secure_pages.url}/lamp")
        (view,) = people(conn, page, shop, "page_view", 1)
        assert view["visitor_id"] == view["user_id"]
        page.evaluate(f"({vendor.identify})('ann'); ({vendor.track})('order', {{}})")
        people(conn, page, shop, "identify", 1)
        (order,) = people(conn, page, shop, "order", 1)
        page.goto(f"{secure_pages.url}/thanks")
        views = people(conn, page, shop, "page_view", 2)
        assert {one["user_id"] for one in (order, *views)} == {"ann"}
        page.evaluate(f"{vendor.reset or 0}; ({vendor.identify})('bob'); ({vendor.track})('order', {{}})")
        people(conn, page, shop, "identify", 2)
        assert [one["user_id"] for one in people(conn, page, shop, "order", 2)] == ["ann", "bob"]
        assert {one["user_id"] for one in people(conn, page, shop, "page_view", 2)} == {"ann"}


def people(conn: Connection, page: Page, site: str, event_type: str, count: int) -> list[dict[str, Any]]:
    """Who did what has this type, once there is so much of it, while the page goes on."""

    def found() -> list[dict[str, Any]]:
        page.evaluate("true")
        rows = conn.execute(
            "select user_id, visitor_id from events where site_id = %s and event_type = %s order by 1",
            [site, event_type],
        ).fetchall()
        assert len(rows) == count, event_type
        return [{"user_id": user, "visitor_id": visitor} for user, visitor in rows]

    return eventually(found)


def has_scripts(pages: Shop, page: Page, name: str, config: pytest.Config, tell: Callable[[str, object], None]) -> bool:
    """Whether the scripts of a vendor are to be had; the pages have them then."""
    vendor = VENDORS[name]
    try:
        files = scripts(vendor.download, config.cache.mkdir("published"))
    except NotThereError as error:
        tell("NOT RUN", f"the script of {name} in a browser, for {error}")
        return False
    pages.scripts = {f"/{file}": filled_in(content, vendor) for file, content in files.items()}
    page.add_init_script(UNDRIVEN)
    return True


def install(pages: Shop, vendor: Vendor, proxy: FlakyProxy, site: str) -> None:
    names = {"SITE": site, "EVENTS": proxy.url, "SCRIPTS": f"https://vendor.test:{pages.server_port}"}
    pages.head = replaced(vendor.head, names)


def filled_in(content: bytes, vendor: Vendor) -> bytes:
    return replaced(content.decode(), vendor.filled_in).encode()


def replaced(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


class Visit:
    """A visit to the shop. `expected` is what of it should be stored: types and paths."""

    def __init__(self, conn: Connection, page: Page, pages: Shop, proxy: FlakyProxy, vendor: Vendor, site: str) -> None:
        self.conn, self.page, self.pages, self.proxy, self.vendor, self.site = conn, page, pages, proxy, vendor, site
        self.expected: Counter[tuple[str, str]] = Counter()

    def make(self) -> None:
        faults = Faults(self.page)
        self.land("/")
        self.page.evaluate(f"history.pushState({{}}, '', '/chairs'); {self.vendor.viewed}")
        self.expect("page_view", "/chairs")
        self.page.evaluate("history.back()")
        self.page.wait_for_url(f"{self.pages.url}/")
        if self.vendor.sees_back:
            self.page.evaluate(f"0; {self.vendor.viewed}")
            self.expect("page_view", "/")
        self.leave(self.page.reload)
        self.expect("page_view", "/")
        # A request under way when its page is left may be cut off.
        assert [fault for fault in faults.found if "ERR_ABORTED" not in fault] == []
        for failure in FAILURES:
            self.fail(failure, faults)
        self.page.evaluate(f"for (let n = 0; n < 20; n++) ({self.vendor.track})('look', {{n}})")
        self.expected["look", "/"] += 20
        if self.vendor.stays:
            self.settle()
        self.page.evaluate(f"({self.vendor.track})('left', {{}})")
        self.expected["left", "/"] += 1
        if self.vendor.stays:
            self.settle()
        self.leave(lambda: self.page.goto(f"{self.pages.url}/elsewhere"))
        self.land("/again")

    def land(self, path: str) -> None:
        self.page.goto(f"{self.pages.url}{path}")
        self.expect("page_view", path)

    def leave(self, how: Callable[[], Any]) -> None:
        if self.vendor.leaving:
            self.expected[self.vendor.leaving, "/"] += 1
        how()

    def fail(self, failure: str, faults: Faults) -> None:
        """Tells an event whose request fails."""
        known = len(faults.found)
        self.proxy.failures.append(failure)
        self.page.evaluate(f"({self.vendor.track})('{failure}', {{}})")
        # The page has to hear of it too, which Playwright tells us only while it is asked something.
        until(lambda: self.page.evaluate("true") and not self.proxy.failures and len(faults.found) > known)
        if self.vendor.tries_again or failure == "lost":
            self.expected[failure, "/"] += 1

    def expect(self, event_type: str, path: str) -> None:
        """Waits for an event, so that the visitor does nothing else meanwhile."""
        self.expected[event_type, path] += 1
        query = "select count(*) from events where site_id = %s and event_type = %s and path = %s"

        def arrived() -> None:
            self.page.evaluate("true")
            row = self.conn.execute(query, [self.site, event_type, path]).fetchone()
            assert row == (self.expected[event_type, path],)

        eventually(arrived)

    def settle(self) -> None:
        stored(self.conn, self.site, count=self.expected.total())
