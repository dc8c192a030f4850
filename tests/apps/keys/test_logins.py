"""Logins: their cookies, how they end, and the page to log in."""

import os

import httpx
import pytest
from litestar.testing import TestClient

from apps.reporting import create_app
from db.access.tokens import hash_of
from db.settings import load
from tests.apps.keys.callers import SAME_ORIGIN, create, log_in
from tests.conftest import Connection
from tests.servers.key import ADMIN_KEY
from tests.servers.serving import Addressed

pytestmark = pytest.mark.usefixtures("own_address")

NOBODY = {"Authorization": ""}


def is_in(client: httpx.Client, headers: dict[str, str]) -> bool:
    status = client.get("/me", headers=headers).status_code
    assert status in (200, 401)
    return status == 200


def test_a_login_has_a_new_secret_each_time_and_ends_the_one_before(reporting: httpx.Client) -> None:
    _, secret = create(reporting, "reports:read")
    chosen = {"Cookie": "tjra=chosen-by-somebody-else"}
    response = reporting.post("/login", json={"key": secret}, headers=NOBODY | chosen)
    reporting.cookies.clear()
    cookie = response.headers["set-cookie"]
    assert "chosen" not in cookie
    assert not is_in(reporting, chosen | NOBODY)
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie
    first = {"Cookie": cookie.partition(";")[0]} | NOBODY
    assert is_in(reporting, first)
    reporting.post("/login", json={"key": secret}, headers=first)
    reporting.cookies.clear()
    second = log_in(reporting, secret)
    assert second["Cookie"] != first["Cookie"]
    reporting.post("/logout", headers=second | NOBODY | SAME_ORIGIN)
    assert not is_in(reporting, first)
    assert not is_in(reporting, second | NOBODY)


def test_over_https_the_cookie_is_for_this_host_only(database_url: str, own_address: str) -> None:
    with TestClient(Addressed(create_app(load())), base_url="https://testserver.local") as client:
        client.headers["x-address"] = own_address
        cookie = client.post("/login", json={"key": ADMIN_KEY}).headers["set-cookie"]
        assert cookie.startswith("__Host-tjra=")
        assert "; Secure" in cookie
        client.cookies.clear()
        plain = cookie.partition(";")[0].replace("__Host-tjra", "tjra")
        assert client.get("/me", headers={"Cookie": plain}).status_code == 401


def test_a_login_ends_after_14_days_without_a_request_and_after_90_in_any_case(
    reporting: httpx.Client, conn: Connection
) -> None:
    _, secret = create(reporting, "reports:read")
    for change in ("seen_at = now() - interval '14 days 1 second'", "ends_at = now()"):
        cookie = log_in(reporting, secret)["Cookie"]
        hashed = hash_of(cookie.partition("=")[2])
        conn.execute(f"update logins set {change} where hash = %s".encode(), [hashed])
        assert not is_in(reporting, {"Cookie": cookie} | NOBODY)


def test_the_page_of_a_login_says_who_is_in_and_logs_out(reporting: httpx.Client) -> None:
    _, secret = create(reporting, "reports:read", sites=["shop", "<b>"])
    cookie = log_in(reporting, secret) | NOBODY
    inside = reporting.get("/login", headers=cookie).text
    assert "<form>" not in inside
    assert all(part in inside for part in ("a test", "reports:read", "&lt;b&gt;, shop", "Log out", 'href="/schema"'))
    assert 'href="/login"' in reporting.get("/", headers=cookie | {"Accept": "text/html"}).text
    assert reporting.post("/logout", headers=cookie | SAME_ORIGIN).status_code == 204
    for headers in (cookie, NOBODY, {"Authorization": "Bearer x"}):
        assert "<h1>Log in</h1>" in reporting.get("/login", headers=headers).text


def test_where_no_login_is_needed_the_page_says_so(database_url: str) -> None:
    app = create_app(load(dict(os.environ) | {"AUTH": "off"}))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        page = client.get("/login").text
    assert "No login is needed" in page
    assert "anybody (AUTH=off)" in page
    assert "Log out" not in page


def test_a_browser_gets_the_page_to_log_in_with_a_401(reporting: httpx.Client) -> None:
    for path in ("/", "/schema", "/keys", "/stats?site_id=shop"):
        response = reporting.get(path, headers={"Accept": "text/html,*/*;q=0.8"} | NOBODY)
        assert response.status_code == 401
        assert "<h1>Log in</h1>" in response.text
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["cache-control"] == "no-store"
    assert reporting.get("/schema", headers=NOBODY).json()["status"] == 401
