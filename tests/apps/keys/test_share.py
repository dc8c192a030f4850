"""Share links: swapped for a login that shows the reports of one site, and no ids of people."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner
from litestar.testing import TestClient

from apps.cli import main
from apps.keys.login import HOME
from apps.reporting import ReportingApp, create_app
from db.settings import load
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.key import AUTHORIZED

PASSWORD = "correct horse"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def one_app(database_url: str) -> Iterator[tuple[ReportingApp, httpx.Client]]:
    """An app of this module's own, and a browser that comes from an address of its own."""
    app = create_app(load())
    with TestClient(app) as client:
        yield app, client


@pytest.fixture
def browser(one_app: tuple[ReportingApp, httpx.Client], monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    """A browser without a login, new and from an address of its own."""
    app, client = one_app
    client.cookies.clear()
    client.follow_redirects = False
    app.access.verdicts.forget()
    here = uuid4().hex
    monkeypatch.setattr("apps.access.limits._address", lambda _: here)
    return client


def share(reporting: httpx.Client, site: str, **more: Any) -> str:
    made = reporting.post("/keys/share", json={"name": "agency", "site_id": site, **more})
    assert made.status_code == 201, made.text
    assert made.headers["Cache-Control"] == "no-store"
    url: str = made.json()["url"]
    return url


def test_a_link_is_swapped_for_a_login_and_leads_to_an_address_without_it(
    reporting: httpx.Client, browser: httpx.Client, shop: str, other: str
) -> None:
    url = share(reporting, shop)
    opened = browser.get(url)
    assert (opened.status_code, opened.headers["Location"]) == (303, HOME)
    assert opened.headers["Cache-Control"] == "no-store"
    assert opened.headers["Referrer-Policy"] == "no-referrer"
    cookie = opened.headers["Set-Cookie"]
    assert re.fullmatch(r"tjra=[\w-]{43}; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax", cookie)
    me = browser.get("/me").json()
    assert (me["share"], me["sites"], me["scopes"]) == (True, [shop], ["reports:read"])
    assert browser.get("/stats", params={"site_id": shop}).status_code == 200
    assert browser.get("/stats", params={"site_id": other}).status_code == 403
    assert browser.get(HOME).status_code == 200
    for path in (
        "/keys",
        "/audit",
        f"/events?site_id={shop}",
        f"/users/ann?site_id={shop}",
        "/dead-letters",
        "/metrics",
    ):
        assert browser.get(path).status_code == 403, path
    # The secret is no key, and in no metric.
    secret = url.removeprefix("/share/")
    assert browser.get("/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert browser.post("/login", json={"key": secret}).status_code == 401
    metrics = browser.get("/metrics", headers=AUTHORIZED).text
    assert 'route="/share/{secret}"' in metrics
    assert secret not in metrics
    assert secret not in reporting.get("/audit").text + reporting.get("/keys").text


def test_a_look_ahead_makes_no_login_and_a_second_look_none_more(
    reporting: httpx.Client, browser: httpx.Client, conn: Connection, shop: str
) -> None:
    url = share(reporting, shop)

    def logins() -> int:
        row = conn.execute("select count(*) from logins").fetchone()
        assert row
        return int(row[0])

    before = logins()
    assert browser.head(url).status_code == 303
    assert logins() == before
    for _ in range(3):
        assert browser.get(url).status_code == 303
    assert logins() == before + 1


def test_who_may_see_more_keeps_their_login(reporting: httpx.Client, browser: httpx.Client, shop: str) -> None:
    key = AUTHORIZED["Authorization"].removeprefix("Bearer ")
    assert browser.post("/login", json={"key": key}).status_code == 200
    assert "Set-Cookie" not in browser.get(share(reporting, shop)).headers
    assert browser.get("/me").json()["scopes"] == ["admin"]


@pytest.mark.parametrize("secret", ["x", "tjra_s_" + "0" * 49, "..", "%2f%2fevil.example"])
def test_there_is_no_such_link(browser: httpx.Client, secret: str) -> None:
    for accept in ("application/json", "text/html"):
        answer = browser.get(f"/share/{secret}", headers={"Accept": accept})
        assert answer.status_code in (401, 404)
        assert "Set-Cookie" not in answer.headers
        assert "Location" not in answer.headers


def test_a_key_is_no_link(browser: httpx.Client) -> None:
    key = AUTHORIZED["Authorization"].removeprefix("Bearer ")
    assert browser.get(f"/share/{key}").status_code == 404


def test_it_ends(
    reporting: httpx.Client,
    browser: httpx.Client,
    one_app: tuple[ReportingApp, httpx.Client],
    conn: Connection,
    shop: str,
) -> None:
    url = share(reporting, shop)
    browser.get(url)
    conn.execute("update keys set expires_at = now() where share and %s = any (sites)", (shop,))
    one_app[0].access.verdicts.forget()  # which it does by itself after ten seconds
    assert browser.get("/stats", params={"site_id": shop}).status_code == 401
    browser.cookies.clear()
    assert browser.get(url, headers={"Accept": "text/html"}).status_code == 404


def test_left_out_it_ends_in_ninety_days(reporting: httpx.Client, shop: str) -> None:
    made = reporting.post("/keys/share", json={"name": "agency", "site_id": shop}).json()["key"]
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)
    assert made["share"]
    assert not made["with_password"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "agency"}, "site_id"),
        ({"name": "agency", "site_id": "shop", "password": "short"}, "password"),
        ({"name": "agency", "site_id": "shop", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_a_bad_link_is_named(reporting: httpx.Client, body: dict[str, str], field: str) -> None:
    refused = reporting.post("/keys/share", json=body)
    assert refused.status_code == 400
    assert field in refused.text


def test_with_a_password_it_asks_for_it(reporting: httpx.Client, browser: httpx.Client, shop: str) -> None:
    url = share(reporting, shop, password=PASSWORD)
    page = browser.get(url)
    assert page.status_code == 200
    assert 'type="password"' in page.text
    assert shop not in page.text
    assert "Set-Cookie" not in page.headers
    script = re.findall(r'src="(/share[^"]*)"', page.text)
    assert [browser.get(one).headers["content-type"].partition(";")[0] for one in script] == ["text/javascript"]
    wrong = browser.post(url, json={"password": "correct horses"}, headers=SAME_ORIGIN)
    assert (wrong.status_code, wrong.json()["detail"]) == (403, "the password is wrong")
    cross = browser.post(url, json={"password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    assert browser.get("/me").status_code == 401
    right = browser.post(url, json={"password": PASSWORD}, headers=SAME_ORIGIN)
    assert right.status_code == 200
    assert browser.get("/me").json()["sites"] == [shop]
    assert browser.get(url).status_code == 303  # not asked twice


def test_passwords_are_tried_as_seldom_as_logins(
    reporting: httpx.Client, browser: httpx.Client, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.keys.passwords.is_password", lambda *_: False)  # which takes long
    url = share(reporting, shop, password=PASSWORD)
    tried = [browser.post(url, json={"password": "wrong"}).status_code for _ in range(22)]
    assert tried[:20] == [403] * 20
    assert 429 in tried[20:]


def test_two_links_with_one_password_store_different_texts(
    reporting: httpx.Client, conn: Connection, shop: str
) -> None:
    for _ in range(2):
        share(reporting, shop, password=PASSWORD)
    stored = [row[0] for row in conn.execute("select password from keys where %s = any (sites)", (shop,)).fetchall()]
    assert len(set(stored)) == 2
    assert all(re.fullmatch(r"scrypt\$32768\$8\$1\$[0-9a-f]{32}\$[0-9a-f]{64}", text) for text in stored)


def test_the_command_makes_one(reporting: httpx.Client, browser: httpx.Client, shop: str) -> None:
    done = CliRunner().invoke(main, ["key", "share", "agency", "--site", shop, "--password"], input=f"{PASSWORD}\n" * 2)
    assert done.exit_code == 0, done.output
    url = done.output.splitlines()[-1]
    assert url.startswith("http://127.0.0.1:")
    path = "/share/" + url.partition("/share/")[2]
    assert browser.post(path, json={"password": PASSWORD}).status_code == 200
    assert browser.get("/me").json()["sites"] == [shop]


@pytest.fixture
def shared(reporting: httpx.Client, browser: httpx.Client, shop: str, conn: Connection) -> httpx.Client:
    """The browser of somebody who has opened a link."""
    event = received(shop, user_id="ann", properties={"email": "ann@example.com", "utm_source": "news"})
    store_events(conn, batch(event))
    browser.get(share(reporting, shop))
    return browser


def filtered(reporting: httpx.Client) -> list[str]:
    """The reports that take filters, dimensions or steps."""
    document = reporting.get("/schema/openapi.json").json()
    names = {"filter", "dimension", "step"}
    return sorted(
        f"{path} {parameter['name']}"
        for path, operations in document["paths"].items()
        for parameter in operations.get("get", {}).get("parameters") or []
        if parameter["name"] in names
    )


REPORTS = [
    "/breakdown dimension", "/breakdown filter", "/events filter", "/events/export filter", "/funnel filter",
    "/funnel step", "/journeys filter", "/live filter", "/live/stream filter", "/retention filter", "/revenue filter",
    "/sessions filter", "/timeseries filter", "/users/{user_id} filter",
]  # fmt: skip
OTHERS: dict[str, dict[str, Any]] = {
    "/breakdown": {"dimension": "path"},
    "/funnel": {"step": ["page_view", "purchase"]},
    "/journeys": {"path": "/"},
    "/timeseries": {"metric": "events", "interval": "day"},
    "/live/stream": {"seconds": 1},
}


def test_these_are_all(reporting: httpx.Client) -> None:
    assert filtered(reporting) == REPORTS


@pytest.mark.parametrize("report", REPORTS)
def test_a_link_shows_no_ids_of_people_and_no_properties_that_may_be(
    shared: httpx.Client, shop: str, report: str
) -> None:
    path, parameter = report.replace("{user_id}", "ann").split()
    values = {
        "dimension": ["properties.email", "user_id"],
        "filter": ["properties.email:exists", "user_id:is:ann", "properties.utm_sourcex:exists"],
        "step": ["page_view;properties.email:exists"],
    }
    for value in values[parameter]:
        given = [value, "purchase"] if parameter == "step" else value
        refused = shared.get(path, params={"site_id": shop, **OTHERS.get(path, {}), parameter: given})
        assert refused.status_code == 403, value
        assert "email" not in refused.text or "a share link shows no" in refused.text
    allowed = {
        "dimension": "properties.utm_source",
        "filter": "properties.utm_source:is:news",
        "step": ["page_view;properties.referrer:exists", "purchase"],
    }
    if not path.startswith(("/events", "/users")):
        shown = shared.get(path, params={"site_id": shop, **OTHERS.get(path, {}), parameter: allowed[parameter]})
        assert shown.status_code == 200, shown.text


@pytest.mark.parametrize("scopes", [["reports:read"], ["reports:read", "events:read"], ["admin"]])
def test_ids_of_users_are_for_those_who_may_read_events(
    reporting: httpx.Client, browser: httpx.Client, shop: str, scopes: list[str]
) -> None:
    secret = reporting.post("/keys", json={"name": "k", "scopes": scopes}).json()["secret"]
    for params in ({"dimension": "user_id"}, {"dimension": "path", "filter": "user_id:is:ann"}):
        headers = {"Authorization": f"Bearer {secret}"}
        found = browser.get("/breakdown", params={"site_id": shop, **params}, headers=headers)
        assert found.status_code == (403 if scopes == ["reports:read"] else 200)
        if found.status_code == 403:
            assert "events:read" in found.json()["detail"]
            assert 'scope="events:read"' in found.headers["WWW-Authenticate"]
