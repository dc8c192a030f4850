"""Share links: swapped for a login that shows the reports of one site, and no ids of people."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
from click.testing import CliRunner
from litestar.testing import TestClient

from apps.cli import main
from apps.keys.login import HOME
from apps.reporting import ReportingApp, create_app
from db.settings import load
from tests.apps.keys.conftest import Share
from tests.conftest import Connection
from tests.servers.key import AUTHORIZED

PASSWORD = "correct horse"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def test_a_link_is_swapped_for_a_login_and_leads_to_an_address_without_it(
    share: Share, reporting: httpx.Client, browser: httpx.Client, shop: str, other: str
) -> None:
    url = share(shop)
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
    share: Share, browser: httpx.Client, conn: Connection, shop: str
) -> None:
    url = share(shop)

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


def test_who_may_see_more_keeps_their_login(share: Share, browser: httpx.Client, shop: str) -> None:
    key = AUTHORIZED["Authorization"].removeprefix("Bearer ")
    assert browser.post("/login", json={"key": key}).status_code == 200
    assert "Set-Cookie" not in browser.get(share(shop)).headers
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
    share: Share,
    browser: httpx.Client,
    one_app: tuple[ReportingApp, httpx.Client],
    conn: Connection,
    shop: str,
) -> None:
    url = share(shop)
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
        ({"name": "agency", "site_id": "shop", "passwort": PASSWORD}, "passwort"),  # it would be open without
        ({"name": "agency", "site_id": "shop", "expires_in_days": 0}, "expires_in_days"),
    ],
)
def test_a_bad_link_is_named(reporting: httpx.Client, body: dict[str, str], field: str) -> None:
    refused = reporting.post("/keys/share", json=body)
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert error["field"] == field
    assert error["allowed"]


def test_with_a_password_it_asks_for_it(share: Share, browser: httpx.Client, shop: str) -> None:
    url = share(shop, password=PASSWORD)
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
    share: Share,
    browser: httpx.Client,
    one_app: tuple[ReportingApp, httpx.Client],
    shop: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(one_app[0].passwords, "check", lambda *_: False)  # the true one takes long
    url = share(shop, password=PASSWORD)
    tried = [browser.post(url, json={"password": "wrong"}).status_code for _ in range(22)]
    assert tried[:20] == [403] * 20
    assert 429 in tried[20:]


def test_two_links_with_one_password_store_different_texts(share: Share, conn: Connection, shop: str) -> None:
    for _ in range(2):
        share(shop, password=PASSWORD)
    stored = [row[0] for row in conn.execute("select password from keys where %s = any (sites)", (shop,)).fetchall()]
    assert len(set(stored)) == 2
    assert all(re.fullmatch(r"scrypt\$32768\$8\$1\$[0-9a-f]{32}\$[0-9a-f]{64}", text) for text in stored)


def test_the_command_makes_one(browser: httpx.Client, shop: str) -> None:
    done = CliRunner().invoke(main, ["key", "share", "agency", "--site", shop, "--password"], input=f"{PASSWORD}\n" * 2)
    assert done.exit_code == 0, done.output
    url = done.output.splitlines()[-2]
    assert url.startswith("http://127.0.0.1:")
    path = "/share/" + url.partition("/share/")[2]
    assert browser.post(path, json={"password": PASSWORD}).status_code == 200
    assert browser.get("/me").json()["sites"] == [shop]


def test_the_command_says_what_a_password_may_be_and_asks_in_a_terminal_only(database_url: str, shop: str) -> None:
    command = ["key", "share", "agency", "--site", shop, "--password"]
    short = CliRunner().invoke(main, command, input="short\n" * 2)
    assert "password should have at least 8 characters; allowed: " in short.output
    assert "8 to 200 characters" in short.output
    nowhere = subprocess.run(
        [sys.executable, "-m", "apps", *command], input=f"{PASSWORD}\n" * 2, capture_output=True, text=True,
        start_new_session=True, check=False, timeout=60,
    )  # fmt: skip
    assert nowhere.stderr == "Error: a password is asked for in a terminal, and there is none\n"
    assert nowhere.returncode == 1


def test_the_address_is_the_one_of_the_settings_whatever_host_was_asked(database_url: str, shop: str) -> None:
    app = create_app(msgspec.structs.replace(load(), reporting_url="https://reports.shop.example/under/"))
    with TestClient(app) as client:
        for dry_run in ("true", "false"):
            made = client.post(
                "/keys/share",
                params={"dry_run": dry_run},
                json={"name": "agency", "site_id": shop},
                headers=AUTHORIZED | {"Host": "evil.example"},
            )
            assert made.json()["url"].startswith("https://reports.shop.example/under/share/tjra_s_")
