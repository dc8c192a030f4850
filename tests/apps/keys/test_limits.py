"""Limits by key, by address and by site: 429 with when to come again, over all processes."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from apps.access.limits import LOGINS, LONG_COST
from apps.events.resources import EventResources
from apps.ingestion import IngestionApp
from apps.reporting import create_app
from apps.sdks.shared.resources import SdkResources
from db.access.tokens import hash_of, new_key
from db.settings import load
from tests.conftest import Connection

MakeClient = Callable[..., httpx.Client]
MakeKey = Callable[..., dict[str, str]]


@pytest.fixture
def client(database_url: str) -> Iterator[MakeClient]:
    """Makes reporting apps, as processes of their own are: `client(reports_per_minute=5)`."""
    with ExitStack() as stack:

        def make(address: str = "192.0.2.1", **settings: Any) -> httpx.Client:
            app = create_app(msgspec.structs.replace(load(), **settings))

            async def from_address(scope: Any, receive: Any, send: Any) -> None:
                await app(scope | {"client": (address, 50_000)}, receive, send)

            return stack.enter_context(TestClient(from_address))

        yield make


@pytest.fixture
def key(conn: Connection) -> MakeKey:
    """Makes keys; returns the header that carries one."""

    def make(*scopes: str) -> dict[str, str]:
        secret = new_key("k")
        conn.execute(
            "insert into keys (id, hash, prefix, name, scopes, created_by) values (%s, %s, %s, 'test', %s, 'test')",
            (uuid4(), hash_of(secret), secret[:12], list(scopes)),
        )
        return {"Authorization": f"Bearer {secret}"}

    return make


def address() -> str:
    """An address that no other test has."""
    return f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"


def test_a_key_has_so_many_reports_a_minute_over_all_processes(client: MakeClient, key: MakeKey, shop: str) -> None:
    one, other = client(reports_per_minute=5), client(reports_per_minute=5)
    ann, bob = key("reports:read"), key("reports:read")
    found = [app.get("/stats", params={"site_id": shop}, headers=ann) for app in (one, other) * 3]
    assert [answer.status_code for answer in found] == [200] * 5 + [429]
    assert [answer.headers["RateLimit-Policy"] for answer in found] == ['"reports";q=5;w=60'] * 6
    left = [re.fullmatch(r'"reports";r=(\d+);t=(\d+)', answer.headers["RateLimit"]) for answer in found]
    assert [int(each[1]) for each in left if each] == [4, 3, 2, 1, 0, 0]
    assert all(each and int(each[2]) <= 60 for each in left)
    problem = found[-1].json()
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert 1 <= int(found[-1].headers["Retry-After"]) <= 12
    assert found[-1].headers["content-type"] == "application/problem+json"
    assert one.get("/stats", params={"site_id": shop}, headers=bob).status_code == 200
    assert one.get("/me", headers=ann).status_code == 200  # no report


def test_what_is_counted_from_events_costs_ten(client: MakeClient, key: MakeKey, shop: str) -> None:
    ann, reports = key("reports:read"), client(reports_per_minute=25)
    short: dict[str, str] = {"site_id": shop, "interval": "day", "metric": "events"}
    assert '"reports";r=24' in reports.get("/timeseries", params=short, headers=ann).headers["RateLimit"]
    long: dict[str, str] = short | {"filter": "properties.currency:is:EUR"}
    found = reports.get("/timeseries", params=long, headers=ann)
    assert found.json()["source"] == "events"
    assert f'"reports";r={24 - LONG_COST}' in found.headers["RateLimit"]
    assert '"reports";r=4' in reports.get("/timeseries", params=long, headers=ann).headers["RateLimit"]
    assert reports.get("/timeseries", params=long, headers=ann).status_code == 200  # the cost is known afterwards
    assert reports.get("/timeseries", params=short, headers=ann).status_code == 429


def test_an_export_is_long_and_a_stream_counts_once(client: MakeClient, key: MakeKey, shop: str) -> None:
    ann, reports = key("reports:read", "events:read"), client(reports_per_minute=25)
    stream = {"site_id": shop, "seconds": "2", "every": "1"}
    assert '"reports";r=24' in reports.get("/live/stream", params=stream, headers=ann).headers["RateLimit"]
    assert '"reports";r=23' in reports.get("/live", params={"site_id": shop}, headers=ann).headers["RateLimit"]
    assert '"reports";r=13' in reports.get("/events/export", params={"site_id": shop}, headers=ann).headers["RateLimit"]
    assert '"reports";r=12' in reports.head("/stats", params={"site_id": shop}, headers=ann).headers["RateLimit"]


@pytest.mark.parametrize(
    "settings", [{"reports_per_minute": 0}, {"reports_per_minute": 1, "auth": "off", "allowed_hosts": "*.local"}]
)
def test_without_a_limit_or_keys_nothing_is_counted(client: MakeClient, shop: str, settings: dict[str, Any]) -> None:
    reports = client(**settings)
    found = [reports.get("/stats", params={"site_id": shop}) for _ in range(3)]
    assert {answer.status_code for answer in found} == {200 if "auth" in settings else 401}
    assert not any("RateLimit" in answer.headers for answer in found)


def test_an_address_may_try_so_often_to_log_in(client: MakeClient) -> None:
    here = address()
    page, same_network, elsewhere = client(here), client(f"{here}2"), client(address())
    wrong = {"key": new_key("k")}
    found = [page.post("/login", json=wrong) for _ in range(LOGINS)]
    assert {answer.status_code for answer in found} == {401}
    for one in (page, same_network):
        refused = one.post("/login", json=wrong)
        assert refused.status_code == 429
        assert refused.headers["RateLimit-Policy"] == f'"logins";q={LOGINS};w=60'
        assert 3 < int(refused.headers["Retry-After"]) <= 6  # after as many failures the tries come back half as fast
    assert elsewhere.post("/login", json=wrong).status_code == 401


def test_an_address_of_ipv4_is_the_same_however_it_is_written(client: MakeClient) -> None:
    last = uuid4().int % 256
    for host in (f"198.51.100.{last}", f"::ffff:198.51.100.{last}"):
        page = client(host)
        found = [page.post("/login", json={}) for _ in range(LOGINS // 2)]
    assert {answer.status_code for answer in found} == {400}
    assert int(found[-1].headers["RateLimit"].partition("r=")[2].partition(";")[0]) <= 5


@pytest.fixture
def limited_ingestion() -> Iterator[httpx.Client]:
    """An ingestion app that takes an event a second of a site, ten at once."""
    settings = msgspec.structs.replace(load(), events_per_second_of_a_site=1)
    with TestClient(IngestionApp(SdkResources(EventResources(settings)))) as client:
        yield client


def test_a_site_may_send_so_many_events(limited_ingestion: httpx.Client, shop: str, other: str) -> None:
    event = {"site_id": shop, "event_type": "click", "path": "/"}
    sent = [limited_ingestion.post("/event", json=event).status_code for _ in range(5)]
    assert sent == [202] * 5
    assert limited_ingestion.post("/events", json=[event] * 20).status_code == 202  # a batch is not cut
    refused = limited_ingestion.post("/event", json=event)
    assert refused.status_code == 429
    assert refused.json()["detail"].startswith(f"site {shop!r} may send 1 events a second: try again in ")
    assert 10 <= int(refused.headers["Retry-After"]) <= 16
    both = limited_ingestion.post("/events", json=[event | {"site_id": other}, event])
    assert both.status_code == 429
    body = {"type": "track", "event": "click", "anonymousId": "a", "writeKey": shop}
    sdk = limited_ingestion.post("/v1/track", json=body)
    assert (sdk.status_code, sdk.json()["code"]) == (503, "unavailable")
    assert int(sdk.headers["Retry-After"]) >= 10
    assert limited_ingestion.post("/event", json=event | {"site_id": other}).status_code == 202


def test_without_that_setting_nothing_is_asked(sdk_resources: SdkResources) -> None:
    assert sdk_resources.events.batcher.limit is None
