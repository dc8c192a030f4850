"""Share links in a real browser: opened, and with a password, on this machine and on plain http elsewhere."""

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from apps.keys.login import HOME
from tests.browser.faults import Faults
from tests.browser.shop import Shop
from tests.servers.key import AUTHORIZED
from tests.servers.serving import Served

PASSWORD = "correct horse"
#: Nobody but a test has it, and the browser asks this machine for it: to browsers it is not secure, as localhost is.
ELSEWHERE = "tjra.test"


def share(server: Served, shop: str, **more: str) -> str:
    """The path of a new link, whose address names the host that it was asked for at."""
    body = {"name": "agency", "site_id": shop, **more}
    made = httpx.post(f"{server.url}/keys/share", json=body, headers=AUTHORIZED)
    return str(made.raise_for_status().json()["url"]).removeprefix(server.url)


def me(page: Page, url: str) -> dict[str, object]:
    return dict(page.evaluate("fetch('/me').then((response) => response.json())"))


def test_opened_it_leads_on_without_its_secret(reporting_server: Served, page: Page, shop: str) -> None:
    faults = Faults(page)
    path = share(reporting_server, shop)
    page.goto(reporting_server.url + path)
    assert page.url == reporting_server.url + HOME
    expect(page.locator("#ui .info")).to_be_visible()
    assert me(page, reporting_server.url)["sites"] == [shop]
    assert path not in page.evaluate("document.referrer + location.href")
    assert faults.found == []


@pytest.mark.parametrize("host", ["127.0.0.1", ELSEWHERE])
def test_a_password_opens_it(reporting_server: Served, page: Page, shop: str, host: str) -> None:
    url = f"http://{host}:{reporting_server.address[1]}"
    if host == ELSEWHERE:
        to_this_machine(page, url, reporting_server.url)
    page.goto(url + share(reporting_server, shop, password=PASSWORD))
    field = page.locator("input")
    field.fill("wrong horse")
    page.locator("button").click()
    expect(page.locator("[role=alert]")).to_have_text("the password is wrong")
    field.fill(PASSWORD)
    page.locator("button").click()
    page.wait_for_url(url + HOME)
    assert me(page, url)["share"] is True


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_it_ends_no_other_login_without_asking(
    reporting_server: Served, page: Page, pages: Shop, shop: str, other: str, password: str | None
) -> None:
    url = reporting_server.url
    page.goto(url + share(reporting_server, other, name="mine <b>"))
    page.wait_for_url(url + HOME)
    theirs = share(reporting_server, shop, name="theirs <b>", **({"password": password} if password else {}))
    page.goto(pages.url)
    page.evaluate("url => { location.href = url }", url + theirs)
    expect(page.get_by_text("You are logged in as mine <b>. Show")).to_be_visible()
    assert page.get_by_text("theirs <b>").count() == (0 if password else 1)
    assert me(page, url)["sites"] == [other]
    if password:
        page.get_by_label("Whoever").fill(password)
    page.get_by_role("button", name="Show the reports").click()
    page.wait_for_url(url + HOME)
    assert me(page, url)["sites"] == [shop]


def to_this_machine(page: Page, url: str, server: str) -> None:
    """Let the browser's requests for another host come to the server, as they are."""

    def answer(route: Route) -> None:
        headers = route.request.all_headers() | {"host": url.removeprefix("http://")}
        route.fulfill(
            response=route.fetch(url=route.request.url.replace(url, server), headers=headers, max_redirects=0)
        )

    page.route(f"{url}/**", answer)
