"""An app and a browser of each module's own, and share links."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from litestar.testing import TestClient

from db.settings import load

if TYPE_CHECKING:  # the apps read their settings when they are imported, which is before those of the tests are set
    from apps.reporting import ReportingApp

#: Makes a share link of a site; its address.
Share = Callable[..., str]


@pytest.fixture(scope="module")
def one_app(database_url: str) -> Iterator[tuple["ReportingApp", httpx.Client]]:
    """An app of this module's own, and a browser that comes from an address of its own."""
    from apps.reporting import create_app

    app = create_app(load())
    with TestClient(app) as client:
        yield app, client


@pytest.fixture
def own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's clients come from an address of their own: from one, few may log in within a minute."""
    here = uuid4().hex
    monkeypatch.setattr("apps.access.limits._address", lambda *_: here)


@pytest.fixture
def browser(one_app: tuple["ReportingApp", httpx.Client], own_address: None) -> httpx.Client:
    """A browser without a login, new and from an address of its own."""
    app, client = one_app
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
