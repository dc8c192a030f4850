"""/health and /ready, and what is answered while a server is away."""

from collections.abc import Iterator

import httpx
import pytest
import redis.asyncio
from litestar.testing import TestClient

from actors.queue import sender
from db.pools import read_pool
from tests.factories import event


@pytest.fixture
def without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue's client finds no server."""
    monkeypatch.setattr(sender, "client", redis.asyncio.Redis.from_url("unix:///nowhere/redis.sock"))
    monkeypatch.setattr(sender, "enqueue", sender.client.register_script(sender.enqueue.script))


@pytest.fixture
def reporting_without_postgresql(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A reporting app whose pool finds no server."""
    from apps import database, reporting

    monkeypatch.setattr("db.pools.WAIT", 0.2)
    monkeypatch.setattr(database, "pool", read_pool("host=/nowhere", connections=1))
    with TestClient(reporting.app) as client:
        yield client


def test_both_are_alive_and_ready(ingestion: httpx.Client, reporting: httpx.Client) -> None:
    for client, dependency in ((ingestion, "redis"), (reporting, "postgresql")):
        assert client.get("/health").json() == {"status": "ok"}
        answer = client.get("/ready")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ready", "checks": {dependency: {"status": "ok"}}}


@pytest.mark.usefixtures("without_redis")
def test_ingestion_without_redis_is_alive_and_says_why_it_is_not_ready(ingestion: httpx.Client) -> None:
    assert ingestion.get("/health").status_code == 200
    answer = ingestion.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert "/nowhere/redis.sock" in answer.json()["checks"]["redis"]["reason"]


@pytest.mark.usefixtures("without_redis")
@pytest.mark.parametrize("path", ["/event", "/event/", "/events"])
def test_without_redis_no_event_is_accepted(ingestion: httpx.Client, shop: str, path: str) -> None:
    one = event(shop)
    answer = ingestion.post(path, json=[one] if path == "/events" else one)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "the queue (Redis) did not take the events; send them again"


def test_reporting_without_postgresql_is_alive_and_says_why_it_is_not_ready(
    reporting_without_postgresql: httpx.Client,
) -> None:
    assert reporting_without_postgresql.get("/health").status_code == 200
    answer = reporting_without_postgresql.get("/ready")
    assert answer.status_code == 503
    assert "couldn't get a connection" in answer.json()["checks"]["postgresql"]["reason"]


def test_without_postgresql_a_report_is_answered_with_503(reporting_without_postgresql: httpx.Client) -> None:
    answer = reporting_without_postgresql.get("/stats?site_id=shop")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["detail"] == "the database (PostgreSQL) cannot answer now"
