"""AUTH_PROXY_HEADER: the proxy in front says who somebody is, and nobody else does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from apps.reporting import create_app
from db.settings import load

NAMED = {"remote-user": "ann"}
OURS = {"host": "reports.shop.example"}
#: The address that requests of the test client come from.
HERE = "testclient"

MakeClient = Callable[..., httpx.Client]


@pytest.fixture
def behind(database_url: str) -> Iterator[MakeClient]:
    """Makes clients of an app with such a header; `proxies` are the addresses that it believes."""
    with ExitStack() as stack:

        def make(proxies: str = HERE, **given: Any) -> httpx.Client:
            settings = msgspec.structs.replace(
                load(),
                auth_proxy_header="Remote-User",
                reporting_url="https://reports.shop.example",
                forwarded_allow_ips=proxies,
                **given,
            )
            return stack.enter_context(TestClient(create_app(settings)))

        yield make


def test_who_the_proxy_names_may_do_what_the_setting_says(behind: MakeClient) -> None:
    app = behind()
    assert app.get("/me", headers=NAMED | OURS).json()["name"] == "ann"
    assert app.get("/sites", headers=NAMED | OURS).status_code == 200
    assert app.get("/keys", headers=NAMED | OURS).status_code == 403
    assert behind(auth_proxy_scopes="admin").get("/keys", headers=NAMED | OURS).status_code == 200


@pytest.mark.parametrize("name", [None, "", "x" * 10_000], ids=["none", "empty", "long"])
def test_what_is_no_name_names_nobody(behind: MakeClient, name: str | None) -> None:
    headers = OURS | ({} if name is None else {"remote-user": name})
    assert behind().get("/sites", headers=headers).status_code in (401, 431)


def test_from_elsewhere_it_is_not_believed(behind: MakeClient) -> None:
    assert behind("192.0.2.1").get("/sites", headers=NAMED | OURS).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_that_gave_its_name_our_address_is_nobody(behind: MakeClient, method: str) -> None:
    """DNS rebinding: the browser is on a trusted machine, and the page's script sets the header."""
    app = behind(auth_proxy_scopes="admin")
    page = {"host": "evil.example:3001", "origin": "http://evil.example:3001", "sec-fetch-site": "same-origin"}
    refused = app.request(method, "/keys", headers=NAMED | page, json={"name": "x", "scopes": ["admin"]})
    assert refused.status_code == 403
    assert "AUTH_PROXY_HEADER" in refused.json()["detail"]
    assert "REPORTING_URL" in refused.json()["detail"]
    for host in ("127.0.0.1:3001", "localhost:3001"):
        assert app.get("/keys", headers=NAMED | {"host": host}).status_code == 200


def test_another_page_changes_nothing_by_who_is_named(behind: MakeClient) -> None:
    app = behind(auth_proxy_scopes="admin")
    for page in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        refused = app.post("/keys", headers=NAMED | OURS | page, json={"name": "x", "scopes": ["admin"]})
        assert refused.status_code == 403
