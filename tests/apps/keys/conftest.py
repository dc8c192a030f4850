"""An app and a browser of each module's own, and share links."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from litestar.testing import TestClient

from db.settings import load
from tests.servers.serving import Addressed

if TYPE_CHECKING:  # the apps read their settings when they are imported, which is before those of the tests are set
    from apps.reporting import ReportingApp

#: Makes a share link of a site; its address.
Share = Callable[..., str]


@pytest.fixture(scope="module")
def one_app(database_url: str) -> Iterator[tuple["ReportingApp", httpx.Client]]:
    """An app of this module's own, and a browser."""
    from apps.reporting import create_app

    app = create_app(load())
    with TestClient(Addressed(app)) as client:
        yield app, client


@pytest.fixture
def own_address(reporting: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> str:
    """`reporting` comes from an address of the test's own: from one, few may log in within a minute."""
    here = uuid4().hex
    monkeypatch.setitem(reporting.headers, "x-address", here)
    return here


@pytest.fixture
def browser(one_app: tuple["ReportingApp", httpx.Client], own_address: str) -> httpx.Client:
    """A browser without a login, new and from that address."""
    app, client = one_app
    client.headers["x-address"] = own_address
    client.cookies.clear()
    client.follow_redirects = False
    app.access.verdicts.forget()
    return client


@pytest.fixture
def share(reporting: httpx.Client) -> Share:
    """Makes share links: `share(shop, password="...")` is the address of one."""

    def make(site: str, **more: Any) -> str:
        made = reporting.post("/keys/share", json={"name": "agency", "site_id": site, **more})
        assert made.status_code == 201, made.text
        assert made.headers["Cache-Control"] == "no-store"
        url: str = made.json()["url"]
        host, slash, path = url.partition("/share/")
        assert host == str(reporting.base_url).rstrip("/")
        return slash + path

    return make
