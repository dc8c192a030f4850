"""/health and /ready, and what is answered while a server is away."""

import resource
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import redis.asyncio
from litestar.testing import TestClient

from apps.keys.verdicts import Verdict
from apps.reporting import ReportingApp
from apps.reporting_resources import ReportingResources
from apps.sdks.shared.resources import SdkResources
from db.access.scopes import ANYBODY
from db.access.tokens import hash_of
from db.settings import load
from tests.builders.factories import event
from tests.conftest import Connection
from tests.servers.key import ADMIN_KEY, AUTHORIZED
from tests.servers.queue import enqueue_old
from tests.servers.servers import Servers, until
from tests.servers.watched_queue import WatchedQueue

OK = {"status": "ok"}


@pytest.fixture
def without_redis(sdk_resources: SdkResources, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue's client finds no server."""
    sender = sdk_resources.events.producer
    monkeypatch.setattr(sender, "client", redis.asyncio.Redis.from_url("unix:///nowhere/redis.sock"))
    monkeypatch.setattr(sender, "enqueue", sender.client.register_script(sender.enqueue.script))


@pytest.fixture
def app_without_postgresql(servers: Servers) -> ReportingApp:
    """A reporting app that finds no PostgreSQL."""
    settings = msgspec.structs.replace(load(), database_url="host=/nowhere")
    return ReportingApp(ReportingResources(settings, connection_timeout=0.2))


@pytest.fixture
def reporting_without_postgresql(app_without_postgresql: ReportingApp) -> Iterator[httpx.Client]:
    """A client of that app."""
    with TestClient(app_without_postgresql) as client:
        client.headers.update(AUTHORIZED)
        yield client


def checks(client: httpx.Client, status: int) -> dict[str, Any]:
    """What /ready says of each dependency, answered with this status."""
    answer = client.get("/ready", headers=AUTHORIZED)
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == ("ready" if status == 200 else "not ready")
    found: dict[str, Any] = answer.json()["checks"]
    return found


def test_both_are_alive_and_ready_with_a_worker(
    queue: WatchedQueue, ingestion: httpx.Client, reporting: httpx.Client
) -> None:
    queue.beat()
    assert checks(ingestion, 200) == {"access": OK, "redis": OK, "queue": OK, "workers": OK}
    assert checks(reporting, 200) == {"postgresql": OK, "access": OK, "redis": OK, "queue": OK, "workers": OK}
    for client in (ingestion, reporting):
        assert client.get("/health").json() == OK


def test_both_are_alive_and_not_ready_without_a_worker(
    queue: WatchedQueue, ingestion: httpx.Client, reporting: httpx.Client, shop: str
) -> None:
    assert ingestion.post("/event", json=event(shop)).status_code == 202
    for client in (ingestion, reporting):
        assert client.get("/health").status_code == 200
        workers = checks(client, 503)["workers"]
        assert workers == {"status": "failed", "reason": "no worker has given a sign of life lately"}


def test_neither_is_ready_while_the_oldest_message_is_too_old(
    queue: WatchedQueue, ingestion: httpx.Client, reporting: httpx.Client
) -> None:
    queue.beat()
    enqueue_old(queue.broker, seconds=50)
    assert checks(ingestion, 200)["queue"] == checks(reporting, 200)["queue"] == OK
    enqueue_old(queue.broker, seconds=90)
    queue.broker.do_fetch("events", 2)
    for client in (ingestion, reporting):
        assert "it should be below 60 s" in checks(client, 503)["queue"]["reason"]
    queue.empty()
    assert checks(ingestion, 200)["queue"] == checks(reporting, 200)["queue"] == OK


def test_neither_is_ready_while_the_queue_is_full(
    queue: WatchedQueue, ingestion: httpx.Client, reporting: httpx.Client
) -> None:
    queue.beat()
    queue.set(queue_max_memory_bytes=1)
    for client in (ingestion, reporting):
        assert "(QUEUE_MAX_MEMORY_BYTES)" in checks(client, 503)["queue"]["reason"]


def test_a_redis_that_evicts_or_does_not_persist_is_named_and_logged(
    queue: WatchedQueue, ingestion: httpx.Client, reporting: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    queue.beat()
    queue.broker.client.config_set("maxmemory-policy", "allkeys-lru")
    queue.broker.client.config_set("appendonly", "no")
    for client in (ingestion, reporting):
        found = checks(client, 200)["redis"]
        assert found["status"] == "degraded"
        assert "maxmemory-policy is allkeys-lru" in found["reason"]
        assert "appendonly is off" in found["reason"]
    assert "Redis is set to lose events: appendonly is off" in caplog.text
    queue.broker.client.config_set("maxmemory-policy", "noeviction")
    queue.broker.client.config_set("appendonly", "yes")
    assert checks(ingestion, 200)["redis"] == OK


def test_a_redis_whose_disk_is_full_is_named(
    queue: WatchedQueue, ingestion: httpx.Client, reporting: httpx.Client, shop: str
) -> None:
    child = queue.redis.child
    # A file that would become too long is then an error like that of a full disk, and not the end of the process.
    child.command = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh", *child.command]
    queue.redis.restart()
    queue.broker.client.config_set("appendfsync", "everysec")
    assert child.process
    resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    until(lambda: ingestion.post("/event", json=event(shop)).status_code == 503)
    for client in (ingestion, reporting):
        assert "append-only file failed" in checks(client, 503)["redis"]["reason"]
    resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: ingestion.post("/event", json=event(shop)).status_code == 202)
    queue.beat()
    assert checks(ingestion, 200)["redis"] == OK


def test_without_redis_both_are_alive_and_say_why_they_are_not_ready(
    queue: WatchedQueue, ingestion: httpx.Client, reporting: httpx.Client
) -> None:
    queue.redis.child.kill()
    for client in (ingestion, reporting):
        assert client.get("/health").status_code == 200
        found = checks(client, 503)
        assert "redis.sock" in found["redis"]["reason"]
        assert found["queue"] == found["workers"]
        assert found["queue"]["reason"] == "unknown while Redis does not answer"
    assert checks(reporting, 503)["postgresql"] == OK
    queue.redis.start()
    queue.beat()
    assert checks(ingestion, 200) == {"access": OK, "redis": OK, "queue": OK, "workers": OK}


def test_redis_that_does_not_answer_makes_nobody_wait(
    queue: WatchedQueue, ingestion: httpx.Client, reporting: httpx.Client, shop: str
) -> None:
    queue.redis.signal(signal.SIGSTOP)
    # It stays stopped until all were answered: no answer waited for it.
    for path, body in (("/event", event(shop)), ("/events", [event(shop)])):
        assert ingestion.post(path, json=body).status_code == 503
    for client in (ingestion, reporting):
        assert "no answer within" in checks(client, 503)["redis"]["reason"]
    queue.redis.signal(signal.SIGCONT)
    assert ingestion.post("/event", json=event(shop)).status_code == 202
    queue.beat()
    assert checks(ingestion, 200)["redis"] == OK


def test_a_postgresql_that_does_not_answer_makes_ready_not_wait(
    queue: WatchedQueue, reporting: httpx.Client, conn: Connection
) -> None:
    with conn.transaction():
        conn.execute("lock table sites in access exclusive mode")
        assert "no answer within" in checks(reporting, 503)["postgresql"]["reason"]


@pytest.mark.usefixtures("without_redis")
@pytest.mark.parametrize("path", ["/event", "/event/", "/events"])
def test_without_redis_no_event_is_accepted(ingestion: httpx.Client, shop: str, path: str) -> None:
    one = event(shop)
    answer = ingestion.post(path, json=[one] if path == "/events" else one)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "the queue (Redis) did not take the events; send them again"


def test_reporting_without_postgresql_is_alive_and_not_ready_and_says_why_to_whom_it_knows(
    reporting_without_postgresql: httpx.Client, app_without_postgresql: ReportingApp
) -> None:
    assert reporting_without_postgresql.get("/health").status_code == 200
    assert checks(reporting_without_postgresql, 503)["postgresql"] == {"status": "failed"}
    asked_a_minute_ago = Verdict(ANYBODY, time.monotonic() - 60)
    app_without_postgresql.access.verdicts.known["key", hash_of(ADMIN_KEY)] = asked_a_minute_ago
    assert "couldn't get a connection" in checks(reporting_without_postgresql, 503)["postgresql"]["reason"]


def test_without_postgresql_a_report_is_answered_with_503(reporting_without_postgresql: httpx.Client) -> None:
    answer = reporting_without_postgresql.get("/stats?site_id=shop")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["detail"] == "the database (PostgreSQL) cannot answer now"
