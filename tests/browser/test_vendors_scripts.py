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
    try:
        files = scripts(vendor.download, pytestconfig.cache.mkdir("published"))
    except NotThereError as error:
        record_property("NOT RUN", f"the script of {name} in a browser, for {error}")
        return
    secure_pages.scripts = {f"/{file}": filled_in(content, vendor) for file, content in files.items()}
    page.add_init_script(UNDRIVEN)
    with flaky_proxy(ingestion_server.url, tls=tls) as proxy:
        names = {"SITE": shop, "EVENTS": proxy.url, "SCRIPTS": f"https://vendor.test:{secure_pages.server_port}"}
        secure_pages.head = replaced(vendor.head, names)
        visit = Visit(conn, page, secure_pages, proxy, vendor, shop)
        visit.make()
        events = stored(conn, shop, count=visit.expected.total())
    assert Counter((event["event_type"], event["path"]) for event in events) == visit.expected
    looks = [int(event["properties"]["n"]) for event in events if event["event_type"] == "look"]
    assert sorted(looks) == list(range(20))
    assert len({event["user_id"] for event in events}) == 1


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
