"""Logging in, in a real browser: by the link of the first start, by hand, and not from another origin's page."""

import httpx
from playwright.sync_api import Page, expect

from tests.browser.faults import Faults
from tests.browser.shop import Shop
from tests.servers.key import ADMIN_KEY, AUTHORIZED
from tests.servers.serving import Served

#: What a page may try with a visitor's login: without asking first, as JSON, to read, and by a form in a frame.
ATTACKS = (
    "fetch(`${url}/keys`, {method: 'POST', body, credentials: 'include', mode: 'no-cors'})",
    "fetch(`${url}/keys`, {method: 'POST', body, credentials: 'include', headers: {'Content-Type': 'text/json'}})",
    "fetch(`${url}/keys`, {credentials: 'include'}).then((found) => found.text())",
    """new Promise((done) => {
        document.body.innerHTML = `<iframe name=x></iframe>
            <form target=x method=post enctype=text/plain action=${url}/keys><input name='${body}'></form>`
        document.forms[0].submit()
        setTimeout(() => done('sent'), 300)
    })""",
)
WRONG = ADMIN_KEY[:-1] + ("A" if ADMIN_KEY[-1] != "A" else "B")


def test_the_link_logs_in_and_leaves_no_key_behind(reporting_server: Served, page: Page) -> None:
    faults = Faults(page)
    page.goto(f"{reporting_server.url}/login#key={ADMIN_KEY}")
    page.wait_for_url(f"{reporting_server.url}/schema")
    expect(page.locator(".opblock").first).to_be_visible()
    assert ADMIN_KEY not in page.evaluate("location.href + document.documentElement.outerHTML")
    assert page.evaluate("document.cookie") == ""
    page.go_back()  # the page before the link
    assert page.url == "about:blank"
    # What is under way when the page leads on may be cut off.
    assert [fault for fault in faults.found if "ERR_ABORTED" not in fault] == []
    assert ADMIN_KEY not in reporting_server.log()


def test_a_page_without_a_login_asks_for_the_key_and_then_shows_itself(reporting_server: Served, page: Page) -> None:
    page.goto(f"{reporting_server.url}/")
    page.get_by_label("Key").fill(WRONG)
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("the key or login is not valid: unknown, expired or revoked")
    page.get_by_label("Key").fill(ADMIN_KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="TJRA Retail Analytics: reporting")).to_be_visible()


def test_whoever_is_in_sees_it_and_can_log_out(reporting_server: Served, page: Page) -> None:
    page.goto(f"{reporting_server.url}/login#key={ADMIN_KEY}")
    page.wait_for_url(f"{reporting_server.url}/schema")
    page.goto(f"{reporting_server.url}/login")
    expect(page.get_by_text("ADMIN_KEY")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Key")).to_be_visible()
    assert page.request.get(f"{reporting_server.url}/me").status == 401


def test_a_link_that_another_page_opens_replaces_no_login_without_asking(
    reporting_server: Served, page: Page, pages: Shop
) -> None:
    theirs = make_key(reporting_server, "the stranger's <b>")
    page.goto(f"{reporting_server.url}/login#key={ADMIN_KEY}")
    page.wait_for_url(f"{reporting_server.url}/schema")
    for answer, then in (("Stay ADMIN_KEY", "ADMIN_KEY"), ("Log in as the stranger's <b>", "the stranger's <b>")):
        page.goto(pages.url)
        page.evaluate("url => { location.href = url }", f"{reporting_server.url}/login#key={theirs}")
        question = page.get_by_role("dialog")
        expect(question).to_contain_text("You are logged in as ADMIN_KEY. Log in as the stranger's <b> instead?")
        assert me(page) == "ADMIN_KEY"
        assert theirs not in page.evaluate("location.href + document.documentElement.outerHTML")
        question.get_by_role("button", name=answer).click()
        if then == "ADMIN_KEY":
            expect(question).to_have_count(0)
        else:
            page.wait_for_url(f"{reporting_server.url}/schema")
        assert me(page) == then


def test_a_link_to_the_own_login_leads_on_and_one_that_is_not_valid_ends_nothing(
    reporting_server: Served, page: Page
) -> None:
    link = f"{reporting_server.url}/login#key="
    for key in (ADMIN_KEY, ADMIN_KEY):
        page.goto("about:blank")
        page.goto(link + key)
        page.wait_for_url(f"{reporting_server.url}/schema")
    page.goto(link + WRONG)
    expect(page.get_by_role("alert")).to_have_text("the key or login is not valid: unknown, expired or revoked")
    assert me(page) == "ADMIN_KEY"


def test_another_origins_page_can_do_nothing_with_the_login(reporting_server: Served, page: Page, pages: Shop) -> None:
    page.goto(f"{reporting_server.url}/login#key={ADMIN_KEY}")
    page.wait_for_url(f"{reporting_server.url}/schema")
    before = keys(reporting_server)
    page.goto(pages.url)
    for attack in ATTACKS:
        script = f"async ([url, body]) => {{ try {{ return String(await {attack}) }} catch {{ return 'refused' }} }}"
        told = page.evaluate(script, [reporting_server.url, '{"name": "stolen", "scopes": ["admin"]}'])
        assert "first" not in told
    assert keys(reporting_server) == before
    frame = f"<iframe src='{reporting_server.url}/schema'></iframe>"
    page.evaluate("frame => { document.body.innerHTML = frame }", frame)
    page.wait_for_timeout(300)
    assert all(not one.locator(".opblock").count() for one in page.frames[1:])


def make_key(server: Served, name: str) -> str:
    body = {"name": name, "scopes": ["reports:read"]}
    return str(httpx.post(f"{server.url}/keys", json=body, headers=AUTHORIZED).raise_for_status().json()["secret"])


def me(page: Page) -> str:
    return str(page.evaluate("fetch('/me').then((response) => response.json())")["name"])


def keys(server: Served) -> list[str]:
    response = httpx.get(f"{server.url}/keys", headers=AUTHORIZED)
    return [key["name"] for key in response.json()["keys"]]
