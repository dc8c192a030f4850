"""Our script and our image in a real browser, in pages of another origin: everything is counted once."""

import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import visitor
from tests.browser.shop import Shop
from tests.conftest import Connection
from tests.servers.flaky_proxy import flaky_proxy
from tests.servers.servers import until
from tests.servers.serving import Served
from tests.system.test_sdks import stored

pytestmark = pytest.mark.usefixtures("worker")


def script(server: Any, site: str, options: str = "") -> str:
    return f'<script defer src="{server.url}/tracker.js" data-site="{site}" {options}></script>'


def in_order(conn: Connection, site: str, *, count: int) -> list[tuple[str, str]]:
    """Types and paths of a site's events, by time."""
    return [(one["event_type"], one["path"]) for one in sorted(stored(conn, site, count=count), key=by_time)]


def by_time(event: dict[str, Any]) -> Any:
    return event["event_time"]


def test_a_page_view_has_path_title_screen_and_campaign_and_leaves_nothing_behind(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    pages.head = script(ingestion_server, shop)
    with page.expect_request("**/tracker") as request:
        page.goto(f"{pages.url}/products/lamp?utm_source=letter&token=secret&gclid=secret#top")
    (view,) = stored(conn, shop, count=1)
    assert (view["event_type"], view["path"]) == ("page_view", "/products/lamp")
    assert view["user_id"].startswith("daily-")
    size = page.evaluate("`${screen.width}x${screen.height}`")
    properties = {"title": "Lamps", "screen": size, "utm_source": "letter", "click_id": "gclid"}
    assert view["properties"] == properties
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    sent = request.value.post_data or ""
    assert f'"timezone":"{zone}"' in sent
    assert "secret" not in sent
    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_a_page_on_plain_http_has_ids_too(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    pages.head = script(ingestion_server, shop)
    page.goto(f"http://shop.test:{pages.server_port}/")
    assert page.evaluate("[isSecureContext, typeof crypto.randomUUID]") == [False, "undefined"]
    page.evaluate("tjra.track('order')")
    order, view = stored(conn, shop, count=2)
    assert order["event_id"].version == view["event_id"].version == 5  # made of the page's by the server


def test_the_referrer_is_kept_without_its_query(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    pages.head = script(ingestion_server, shop)
    page.goto(f"{pages.url}/elsewhere?q=secret")
    page.evaluate("location.href = '/'")
    (view,) = stored(conn, shop, count=1)
    assert view["properties"]["referrer"] == f"{pages.url}/elsewhere"


def test_a_page_that_changes_its_path_by_itself_is_viewed_anew(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    pages.head = script(ingestion_server, shop)
    page.goto(f"{pages.url}/")
    for step in (
        "history.pushState({}, '', '/chairs')",
        "history.replaceState({}, '', '/chairs?colour=red')",
        "location.hash = 'top'",
        "history.go(-2)",
    ):
        page.evaluate(step)
        time.sleep(0.05)  # so that the times differ
    assert in_order(conn, shop, count=3) == [("page_view", "/"), ("page_view", "/chairs"), ("page_view", "/")]


def test_with_data_hash_the_path_goes_on_behind_it(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    pages.head = script(ingestion_server, shop, "data-hash")
    page.goto(f"{pages.url}/")
    page.evaluate("location.hash = '/chairs'")
    assert in_order(conn, shop, count=2) == [("page_view", "/"), ("page_view", "/#/chairs")]


def test_events_of_the_page_have_its_path_and_user_also_from_before_the_script_was_there(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    early = "<script>(window.tjra = window.tjra || []).push(['track', 'early', {step: 1}])</script>"
    pages.head = early + script(ingestion_server, shop, 'data-user="ann"')
    page.goto(f"{pages.url}/checkout")
    page.evaluate("tjra.track('order', {revenue: 119.9}); tjra.identify('bob'); tjra.track('share')")
    page.evaluate("tjra.identify(); tjra.track('stroll')")
    early_event, identify, order, _, share, stroll = stored(conn, shop, count=6)
    assert (identify["event_type"], identify["user_id"]) == ("identify", "bob")
    assert {one["path"] for one in (early_event, order, share)} == {"/checkout"}
    assert (early_event["properties"], order["properties"]) == ({"step": 1}, {"revenue": 119.9})
    assert [one["user_id"] for one in (early_event, order, share)] == ["ann", "ann", "bob"]
    # Whoever is named first is the visitor of this day.
    assert (stroll["user_id"], stroll["visitor_id"][:6]) == ("ann", "daily-")


def test_a_link_that_leads_to_another_host_is_an_event_though_the_page_ends(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    pages.head = script(ingestion_server, shop, "data-outbound") + f'<a href="{pages.elsewhere}?q=1">out</a>'
    page.goto(f"{pages.url}/links")
    page.evaluate("document.querySelector('a').click()")
    click, _ = stored(conn, shop, count=2)
    assert (click["event_type"], click["path"]) == ("outbound_click", "/links")
    assert click["properties"] == {"url": pages.elsewhere}


def test_what_the_server_does_not_have_yet_is_sent_when_the_page_is_left(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    with flaky_proxy(ingestion_server.url, ["dropped"]) as proxy:
        pages.head = script(proxy, shop)
        page.goto(f"{pages.url}/cart")
        until(lambda: not proxy.failures)
        page.evaluate("tjra.track('left'); location.href = '/elsewhere'")
        page.wait_for_url(f"{pages.url}/elsewhere")
        assert {name for name, _ in in_order(conn, shop, count=2)} == {"page_view", "left"}
        page.go_back()
        assert [path for _, path in in_order(conn, shop, count=3)] == ["/cart"] * 3


def test_what_was_taken_though_nobody_heard_of_it_is_sent_again_and_counted_once(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    with flaky_proxy(ingestion_server.url, ["lost", "503", "lost"]) as proxy:
        pages.head = script(proxy, shop)
        page.goto(f"{pages.url}/")
        page.evaluate("tjra.track('order')")
        until(lambda: len(proxy.statuses) >= 3)
        page.evaluate("tjra.track('last')")
        assert {name for name, _ in in_order(conn, shop, count=3)} == {"page_view", "order", "last"}


def test_a_server_that_is_away_for_ten_seconds_gets_everything_once(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    with flaky_proxy(ingestion_server.url) as proxy:
        pages.head = script(proxy, shop)
        page.goto(f"{pages.url}/")
        stored(conn, shop, count=1)
    for second in range(10):
        page.evaluate(f"history.pushState({{}}, '', '/products/{second}'); tjra.track('look')")
        time.sleep(1)
    assert len(stored(conn, shop, count=1)) == 1
    with flaky_proxy(ingestion_server.url, port=proxy.server_port):
        events = in_order(conn, shop, count=21)
    views = [path for name, path in events if name == "page_view"]
    assert views == ["/", *(f"/products/{second}" for second in range(10))]


@pytest.mark.parametrize("wish", ["doNotTrack", "globalPrivacyControl"])
def test_with_data_dnt_a_browser_that_asks_for_it_is_left_alone(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str, other: str, wish: str
) -> None:
    page.add_init_script(f"Object.defineProperty(navigator, '{wish}', {{value: '1'}})")
    pages.head = script(ingestion_server, shop, "data-dnt")
    page.goto(f"{pages.url}/")
    page.evaluate("tjra.track('order')")
    pages.head = script(ingestion_server, other)
    page.goto(f"{pages.url}/")
    stored(conn, other, count=1)
    stored(conn, shop, count=0)


def test_without_scripts_the_image_tells_of_the_page(
    ingestion_server: Served, conn: Connection, browser: Browser, pages: Shop, shop: str
) -> None:
    image = f'<img src="{ingestion_server.url}/pixel.gif?site={shop}" referrerpolicy="no-referrer-when-downgrade">'
    pages.head = script(ingestion_server, shop) + f"<noscript>{image}</noscript>"
    context = visitor(browser, scripts=False)
    context.new_page().goto(f"{pages.url}/products/lamp?utm_source=letter")
    context.close()
    (view,) = stored(conn, shop, count=1)
    assert (view["event_type"], view["path"]) == ("page_view", "/products/lamp")
    assert view["properties"] == {"utm_source": "letter"}
    assert view["user_id"].startswith("daily-")
