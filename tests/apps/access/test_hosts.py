"""With AUTH=off a page that has given its name our address (DNS rebinding) reads nothing; names that are ours are."""

from collections.abc import Iterator
from importlib import import_module

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from apps.access.hosts import Hosts
from apps.web.problems import Refusal
from db.settings import load
from tests.servers.key import AUTHORIZED

ALLOWED = "reporting, ingestion,*.shop.example"
URL = "https://reports.other.example/under"
OURS = [
    *("localhost", "localhost:3001", "LOCALHOST:1", "localhost.", "a.localhost:3001"),
    *("127.0.0.1", "127.0.0.1:3001", "192.168.1.20:80", "[::1]", "[::1]:3001", "[2001:db8::1]:3001"),
    *("reporting", "reporting:3001", "Ingestion:3000", "stats.shop.example", "a.b.shop.example:443"),
    *("reports.other.example", "reports.other.example:8443"),
]
THEIRS = [
    *("evil.example", "evil.example:3001", "localhost.evil.example", "evillocalhost", "127.0.0.1.evil.example"),
    *("shop.example", "evilshop.example", "reporting.evil.example", "other.example", "127.0.0.1@evil.example"),
    *("[::1].evil.example", "[evil.example]:3001", "", ":3001", "evil.example:localhost", "x" * 1000),
]
#: What each app shows to those who may see it.
SECRET = {
    "ingestion": ("/metrics", "/schema", "/"),
    "reporting": ("/sites", "/metrics", "/schema", "/", "/me", "/keys"),
}


@pytest.fixture(scope="module", params=["ingestion", "reporting"])
def client(request: pytest.FixtureRequest, database_url: str) -> Iterator[tuple[str, httpx.Client]]:
    settings = msgspec.structs.replace(load(), auth="off", allowed_hosts=ALLOWED, reporting_url=URL)
    with TestClient(import_module(f"apps.{request.param}").create_app(settings)) as client:
        yield request.param, client


@pytest.mark.parametrize("host", OURS)
def test_our_names_are_answered(client: tuple[str, httpx.Client], host: str) -> None:
    name, app = client
    for path in SECRET[name]:
        assert app.get(path, headers={"host": host}).status_code == 200, path


@pytest.mark.parametrize("host", THEIRS)
def test_others_are_refused_and_told_what_to_set(client: tuple[str, httpx.Client], host: str) -> None:
    name, app = client
    for path in SECRET[name]:
        response = app.get(path, headers={"host": host})
        assert response.status_code == 403, path
        assert response.headers["content-type"] == "application/problem+json"
        detail = response.json()["detail"]
        assert all(
            part in detail for part in ("ALLOWED_HOSTS", "REPORTING_URL", host.partition(":")[0][:20].strip("["))
        )
        assert len(detail) < 400
    if name == "reporting":
        assert app.delete("/sites/none", headers={"host": host}).status_code == 403
        assert "reason" not in str(app.get("/ready", headers={"host": host}).json())


def test_what_is_public_asks_for_no_name(client: tuple[str, httpx.Client]) -> None:
    _, app = client
    assert app.get("/health", headers={"host": "load-balancer.example"}).status_code == 200
    assert app.get("/ready", headers={"host": "load-balancer.example"}).status_code in (200, 503)


def test_events_are_taken_under_any_name(client: tuple[str, httpx.Client], shop: str) -> None:
    name, app = client
    if name == "ingestion":
        event = {"site_id": shop, "event_type": "page_view", "path": "/"}
        assert app.post("/event", json=event, headers={"host": "events.any.example"}).status_code == 202


def test_two_names_are_both_looked_at_and_none_is_no_browser() -> None:
    hosts = Hosts(load())
    for names in ([b"localhost", b"evil.example"], [b"evil.example", b"localhost"]):
        with pytest.raises(Refusal, match="ALLOWED_HOSTS"):
            hosts.check({"headers": [(b"host", name) for name in names]})
    hosts.check({"headers": [(b"x", b"evil.example")]})


def test_with_keys_any_name_is_answered(reporting: httpx.Client) -> None:
    assert reporting.get("/sites", headers=AUTHORIZED | {"host": "any.example"}).status_code == 200
