"""/schema and / of both apps in a real browser: nothing fails, and Execute of operations succeeds as it is."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.faults import Faults
from tests.checks.thorough import TIMES
from tests.conftest import Connection
from tests.servers.flaky_proxy import FlakyProxy, flaky_proxy
from tests.servers.key import ADMIN_KEY, AUTHORIZED
from tests.servers.servers import until
from tests.servers.serving import Served
from tests.system.test_sdks import stored

pytestmark = pytest.mark.usefixtures("worker")

#: So many operations of an app are executed, others in each run: a browser takes seconds for each.
OPERATIONS = 6 * TIMES
#: The site of the examples.
SITE = "shop"


def operations(server: Served) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each operation that a document has."""
    paths = httpx.get(f"{server.url}/schema/openapi.json", headers=AUTHORIZED).json()["paths"]
    return [(method, path, one) for path, methods in paths.items() for method, one in methods.items()]


def execute(page: Page, method: str, path: str, media_type: str | None = None) -> int:
    """The status of what the UI sends for an operation if nothing in it is changed."""
    block = page.locator(f".opblock-{method}", has=page.locator(f'[data-path="{path}"]'))
    block.locator(".opblock-summary-control").click()
    if (button := block.locator(".try-out__btn")).inner_text() == "Try it out":  # else it was tried before
        button.click()
    if media_type:
        block.locator(".body-param-content-type select").select_option(media_type)
    with page.expect_response(lambda response: response.request.resource_type == "fetch") as answered:
        block.locator(".btn.execute").click()
    # It shows an answer once it is whole.
    shown = block.locator(".live-responses-table .response .response-col_status").first
    expect(shown).to_contain_text(str(answered.value.status))
    block.locator(".opblock-summary-control").click()
    return answered.value.status


@pytest.fixture(autouse=True)
def logged_in(page: Page, ingestion_server: Served, reporting_server: Served) -> None:
    """Follow the link of the first start: on one host the login opens both apps, once a worker has told ingestion."""
    page.goto(f"{reporting_server.url}/login#key={ADMIN_KEY}")
    page.wait_for_url(f"{reporting_server.url}/schema")
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    until(lambda: httpx.get(f"{ingestion_server.url}/schema", cookies=cookies).status_code == 200)


@contextmanager
def opened(page: Page, server: Served | FlakyProxy, path: str = "/schema") -> Iterator[None]:
    """A page of an app, on which nothing fails."""
    faults = Faults(page)
    page.goto(server.url + path)
    yield
    # What is under way when a page is left, its icon say, is cut off.
    assert [fault for fault in faults.found if "ERR_ABORTED" not in fault] == []


@pytest.fixture(params=["ingestion", "reporting"])
def server(request: pytest.FixtureRequest) -> Served:
    served: Served = request.getfixturevalue(f"{request.param}_server")
    return served


def test_every_operation_is_on_the_page(server: Served, page: Page) -> None:
    with opened(page, server):
        expect(page.locator(".opblock")).to_have_count(len(operations(server)))
        for method, path, one in operations(server):
            block = page.locator(f".opblock-{method}", has=page.locator(f'[data-path="{path}"]'))
            expect(block.locator(".opblock-summary-description")).to_have_text(one["summary"])
        assert page.locator("body").inner_text().count("SwaggerUIBundle") == 0


def test_the_front_page_opens_and_leads_to_each_operation(server: Served, page: Page) -> None:
    with opened(page, server, "/"):
        links = {link.inner_text(): str(link.get_attribute("href")) for link in page.locator("li a").all()}
        assert len(links) == len(operations(server))
        text, address = list(links.items())[-1]
        page.locator("li a").last.click()
        expect(page.locator(".opblock.is-open .opblock-summary-path")).to_have_attribute("data-path", text.split()[1])
        # All others are called there what their links say.
        for address in links.values():
            tag, operation = unquote(address).partition("#/")[2].split("/")
            expect(page.locator(f"[id='operations-{tag.replace(' ', '_')}-{operation}']")).to_have_count(1)


def test_the_page_links_to_the_other_app_but_not_by_a_proxys_word_for_us(reporting_server: Served, page: Page) -> None:
    link = page.locator(".info a", has_text="ingestion API")
    with opened(page, reporting_server):
        expect(link).to_have_attribute("href", "http://127.0.0.1:3000/schema")
    # As nginx does by itself, it asks us by our own address, and says nothing of its own.
    with flaky_proxy(reporting_server.url) as proxy, opened(page, proxy):
        expect(page.locator(".info")).to_contain_text("what the ingestion API has accepted")
        expect(link).to_have_count(0)
    with flaky_proxy(reporting_server.url) as proxy, opened(page, proxy, "/"):
        expect(page.locator("p")).to_contain_text("The other app: ingestion.")
        expect(page.locator("a.other")).to_have_count(0)


def test_execute_of_each_operation_succeeds_as_it_is(
    ingestion_server: Served, reporting_server: Served, page: Page, conn: Connection
) -> None:
    with opened(page, ingestion_server):
        assert execute(page, "post", "/event") == 202
        first = stored(conn, SITE, count=1)
        every = operations(ingestion_server)
        for method, path, one in random.sample(every, min(OPERATIONS, len(every))):
            for nth, media_type in enumerate(one.get("requestBody", {}).get("content", {None: None})):
                if nth:  # a body that was sent stays, whatever type is chosen then
                    page.reload()
                status = execute(page, method, path, media_type)
                assert 200 <= status < 300, (method, path, media_type, status)
    # A second click counts again, and all that it sent is there to be asked about.
    assert len(first) == 1
    if TIMES > 1:
        stored(conn, SITE, count=16)
    # An owner's setting is as it was after a click on everything.
    ours = {"site_id": SITE, "timezone": "Asia/Kolkata"}
    assert httpx.put(f"{reporting_server.url}/timezone", params=ours, headers=AUTHORIZED, timeout=30).json() == ours
    with opened(page, reporting_server):
        every = operations(reporting_server)
        for method, path, _ in random.sample(every, min(OPERATIONS, len(every))):
            status = execute(page, method, path)
            assert 200 <= status < 300, (method, path, status)
    of_site = {"site_id": SITE}
    with httpx.Client(base_url=reporting_server.url, headers=AUTHORIZED) as client:
        (site,) = client.get("/sites", params={"search": SITE}).json()["sites"]
        shown = client.get("/events", params=of_site).json()["events"]
        revenue = client.get("/revenue", params=of_site).json()
    assert site["timezone"] == "Asia/Kolkata"
    assert shown
    assert TIMES == 1 or revenue["currencies"][0]["orders"] >= 4
