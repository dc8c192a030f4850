"""The pages and metrics of ingestion are for those with a key; events and the two words of /ready are for all."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from apps.access.needs import NEEDED, PUBLIC
from apps.access.snapshots import Known
from apps.ingestion import IngestionApp, create_app
from apps.sdks.shared.resources import SdkResources
from db.access.scopes import Scope
from db.access.snapshot import Snapshot, ValidKey, ValidLogin
from db.access.tokens import hash_of, new_key, new_login
from db.settings import load
from tests.servers.key import AUTHORIZED

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CLOSED = ["/", "/schema", "/schema/openapi.json", "/schema/swagger", "/metrics"]
NOW = datetime.now(UTC)
KeyOf = Callable[..., str]


@pytest.fixture
def key_of(sdk_resources: SdkResources) -> Iterator[KeyOf]:
    """Makes keys that ingestion knows: `key_of(Scope.OPERATIONS, sites=[shop])`."""
    snapshots = sdk_resources.events.snapshots
    before = snapshots.known
    keys: list[ValidKey] = []

    def make(*scopes: Scope, login: bool = False, ends: datetime | None = None, **fields: Any) -> str:
        secret, cookie = new_key("k"), new_login()
        keys.append(ValidKey(hash=hash_of(secret).hex(), id=uuid4(), name="k", scopes=list(scopes), **fields))
        logins = [ValidLogin(hash=hash_of(cookie).hex(), key=keys[-1].hash, ends_at=ends or NOW + timedelta(days=1))]
        snapshots.known = Known(Snapshot(keys=keys, logins=logins))
        return cookie if login else secret

    yield make
    snapshots.known = before


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_every_route_says_what_it_needs_and_the_public_ones_are_known(ingestion_app: IngestionApp) -> None:
    litestar: Litestar = ingestion_app.litestar
    public = set()
    for route in litestar.routes:
        for handler in getattr(route, "route_handlers", ()):
            if handler.fn.__module__.startswith("litestar.") and "OPTIONS" in handler.http_methods:
                continue  # the methods of a path
            assert handler.opt.get(NEEDED), route.path
            if handler.opt[NEEDED] == PUBLIC:
                public |= {f"{method} {route.path}" for method in handler.http_methods}
    reads = {one for one in public if one.startswith("GET") and not one.startswith(("GET /array/", "GET /static/"))}
    assert reads == {
        "GET /health", "GET /ready", "GET /tracker.js", "GET /pixel.gif", "GET /sourceConfig",
        "GET /v1/projects/{key:str}/settings", "GET /schema/assets/{name:str}",
        "GET /favicon.ico",
    }  # fmt: skip
    assert not {one for one in public if one.startswith(("PUT", "DELETE", "PATCH"))}
    assert {"POST /event", "POST /events", "POST /tracker", "POST /v1/batch", "POST /api/event"} < public


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", CLOSED)
def test_what_reads_is_closed_and_opens_with_a_key(
    ingestion: httpx.Client, key_of: KeyOf, path: str, method: str
) -> None:
    def status(headers: dict[str, str] | None = None) -> int:
        return ingestion.request(method, path, headers=headers).status_code

    assert status() == 401
    assert status(bearer(new_key("k"))) == status(bearer("shop")) == status({"cookie": "tjra=x"}) == 401
    assert status({"authorization": "Bearer "}) == 400
    assert status(bearer(key_of(Scope.OPERATIONS, expires_at=NOW - timedelta(seconds=1)))) == 401
    for scope in Scope:
        right = path != "/metrics" or scope in (Scope.OPERATIONS, Scope.ADMIN)
        assert status(bearer(key_of(scope))) == (200 if right else 403), scope
        assert status({"cookie": f"tjra={key_of(scope, login=True)}"}) == (200 if right else 403), scope
    assert status({"cookie": f"tjra={key_of(Scope.ADMIN, login=True, ends=NOW)}"}) == 401
    assert status(bearer(key_of(Scope.ADMIN, sites=["shop"]))) == (403 if path == "/metrics" else 200)


def test_a_browser_is_told_where_to_log_in(ingestion: httpx.Client) -> None:
    page = ingestion.get("/schema", headers=BROWSER | {"host": "analytics.lan:3000"})
    assert (page.status_code, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert '<a href="http://analytics.lan:3001/login">' in page.text
    assert page.headers["www-authenticate"] == 'Bearer realm="tjra"'
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    behind_a_proxy = ingestion.get("/schema", headers=BROWSER | {"host": "events.shop.example"})
    assert "Log in at the reporting app" in behind_a_proxy.text
    program = ingestion.get("/metrics", headers={"accept": "*/*"})
    assert program.headers["content-type"] == "application/problem+json"


def test_ready_tells_reasons_to_those_with_operations_only(
    ingestion: httpx.Client, reporting: httpx.Client, key_of: KeyOf
) -> None:
    words = ingestion.get("/ready").json()["checks"]
    assert words == {name: {"status": one["status"]} for name, one in words.items()}
    assert words["workers"] == {"status": "failed"}
    for key, told in ((key_of(Scope.OPERATIONS), True), (key_of(Scope.REPORTS_READ), False), ("wrong", False)):
        assert ("reason" in ingestion.get("/ready", headers=bearer(key)).json()["checks"]["workers"]) is told
    limited = key_of(Scope.OPERATIONS, sites=["shop"])
    assert "reason" not in ingestion.get("/ready", headers=bearer(limited)).json()["checks"]["workers"]
    assert "reason" in reporting.get("/ready").json()["checks"]["workers"]
    unknown = reporting.get("/ready", headers=bearer(new_key("k"))).json()["checks"]
    assert unknown["workers"] == {"status": "failed"}


@pytest.mark.some(4)
@pytest.mark.parametrize(
    ("client", "headers", "version", "is_open"),
    [
        (("127.0.0.1", 50000), {}, "1.1", True),
        (("::1", 50000), {"host": "[::1]:3000"}, "1.1", True),
        (("127.0.0.1", 50000), {"host": "localhost:3000"}, "1.1", True),
        (("203.0.113.7", 50000), {}, "1.1", False),
        (("203.0.113.7", 50000), {"x-forwarded-for": "127.0.0.1"}, "1.1", False),
        (("127.0.0.1", 0), {}, "1.1", False),  # named by a proxy
        (("127.0.0.1", 50000), {"x-forwarded-for": "203.0.113.7"}, "1.1", False),
        (("127.0.0.1", 50000), {"forwarded": "for=203.0.113.7"}, "1.1", False),
        (("127.0.0.1", 50000), {"via": "1.1 proxy"}, "1.1", False),
        (("127.0.0.1", 50000), {}, "1.0", False),  # nginx, unless told otherwise
        (("127.0.0.1", 50000), {"host": "rebound.example:3000"}, "1.1", False),
        (None, {}, "1.1", False),
    ],
)  # fmt: skip
def test_loopback_is_what_comes_from_this_machine_and_through_no_proxy(
    servers: object, client: Any, headers: dict[str, str], version: str, is_open: bool
) -> None:
    given = {"host": "127.0.0.1:3000"} | headers
    scope = {
        "type": "http", "method": "GET", "scheme": "http", "client": client, "http_version": version,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }  # fmt: skip
    for setting, opened in (("nobody", False), ("loopback", is_open), ("all", True)):
        made = create_app(msgspec.structs.replace(load(), operations_open_to=setting))
        identity = asyncio.run(made.litestar.state.access.identity(scope))
        assert (identity is not None and identity.may(Scope.OPERATIONS)) is opened
        assert identity is None or not identity.may(Scope.ADMIN)


def test_open_to_all_opens_metrics_and_pages_and_reasons(servers: object) -> None:
    with TestClient(create_app(msgspec.structs.replace(load(), operations_open_to="all"))) as client:
        assert [client.get(path).status_code for path in CLOSED] == [200] * len(CLOSED)
        assert "reason" in client.get("/ready").json()["checks"]["workers"]
        assert client.get("/metrics", headers=bearer(new_key("k"))).status_code == 401  # who sends one is held to it


@pytest.mark.parametrize("name", ["ingestion", "reporting"])
def test_without_auth_everything_is_open_and_ready_says_so(database_url: str, name: str) -> None:
    from apps import reporting

    make = create_app if name == "ingestion" else reporting.create_app
    made: Any = make(msgspec.structs.replace(load(), auth="off"))
    with TestClient(made, base_url="http://127.0.0.1") as client:
        assert client.get("/metrics").status_code == 200
        access = client.get("/ready").json()["checks"]["access"]
    assert access == {"status": "degraded", "reason": "AUTH=off: anybody may read and change everything"}


def test_where_no_keys_were_ever_told_nobody_gets_in(
    ingestion: httpx.Client, sdk_resources: SdkResources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk_resources.events.snapshots, "known", None)
    answer = ingestion.get("/metrics", headers=AUTHORIZED)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert ingestion.get("/metrics").status_code == 401
    assert ingestion.get("/ready").json()["checks"]["access"] == {"status": "degraded"}
