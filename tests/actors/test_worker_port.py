"""The port of a worker process: it tells a stuck worker from one that waits for a server."""

import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import cast
from uuid import uuid4

import dramatiq
import httpx
import psycopg
import pytest

from actors.durable.broker import DurableBroker
from actors.durable.consumer import DurableConsumer
from actors.durable.heartbeat import Heartbeat
from actors.worker.flusher import Flusher
from actors.worker.health import WorkerPort, listen
from actors.worker.postgres import PostgresPool
from db.settings import Settings
from db.store.events import Message
from tests.actors.test_flusher import somebody_waits_for_a_lock
from tests.apps.monitoring.test_metrics import values
from tests.builders.factories import batch, received
from tests.conftest import Connection, MakeBroker
from tests.servers.servers import Redis, until

#: Seconds after which a thread counts as stuck in these tests.
TIMEOUT = 2.0


class Watched:
    """A worker of the test's own, watched through its port."""

    def __init__(self, broker: DurableBroker, database_url: str, **options: float) -> None:
        settings = Settings(database_url=database_url, worker_port=0)
        self.database = PostgresPool(settings, **options)
        self.flusher = Flusher(self.database)
        heartbeat = next(middleware for middleware in broker.middleware if isinstance(middleware, Heartbeat))
        port = WorkerPort(settings, broker, self.flusher, heartbeat, max_idle=TIMEOUT, max_attempt=TIMEOUT)
        for middleware in (self.database, self.flusher, port):
            broker.add_middleware(middleware)
        self.store = dramatiq.actor(broker=broker, actor_name="store")(self._store)
        self.worker = dramatiq.Worker(broker, worker_timeout=50, worker_threads=2)
        self.worker.start()
        assert port.server
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port.server.server_address[1]}", timeout=30)

    def metrics(self) -> dict[str, float]:
        return values(self.client.get("/metrics").text)

    def _store(self, events: bytes) -> None:
        self.flusher.store(Message(str(uuid4()), events))

    def waits_for(self) -> list[str]:
        names: list[str] = self.client.get("/health").json()["waiting_for"]
        return names

    def stuck(self) -> str:
        """Why it is stuck, or nothing."""
        answer = self.client.get("/health")
        health = answer.json()
        assert (answer.status_code, health["status"]) == ((503, "stuck") if health["stuck"] else (200, "ok"))
        return "; ".join(health["stuck"])

    def stop(self) -> None:
        self.client.close()
        self.worker.stop(timeout=5_000)


@pytest.fixture
def watch(make_broker: MakeBroker, database_url: str) -> Iterator[Callable[..., Watched]]:
    """Starts workers with a Redis of their own and short timeouts: `watch()`, `watch(url, longest_pause=0.2)`."""
    started = []

    def start(database_url: str = database_url, **options: float) -> Watched:
        started.append(Watched(make_broker(), database_url, **options))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_a_worker_is_well_and_tells_of_its_flushes(watch: Callable[..., Watched], shop: str) -> None:
    one = watch()
    assert one.client.get("/health").json() == {"status": "ok", "stuck": [], "waiting_for": []}
    before = one.metrics()
    twice = received(shop)
    one.store.send(batch(received(shop), twice, twice))

    def changed(name: str) -> float:
        return one.metrics()[name] - before[name]

    until(lambda: changed("tjra_flush_duration_seconds_count") == 1)
    assert changed("tjra_flush_events_sum") == 3
    assert changed("tjra_events_stored_total") == 2
    assert changed("tjra_events_duplicate_total") == 1
    assert changed("tjra_pool_requests_total") == 1
    assert one.metrics()["tjra_postgresql_up"] == 1


def test_retries_are_counted(watch: Callable[..., Watched], shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    one = watch()
    before = one.metrics()
    monkeypatch.setattr(one.flusher, "store", fail)
    one.store.send(batch(received(shop)))
    until(lambda: one.metrics()["tjra_message_retries_total"] == before["tjra_message_retries_total"] + 3)


def test_dead_letters_are_counted(watch: Callable[..., Watched], shop: str) -> None:
    one = watch()
    before = one.metrics()
    one.store.send(batch(received(shop), received(shop)).replace(b'"path":"/"', b'"path":null', 1))
    until(lambda: one.metrics()["tjra_dead_letters_total"] == before["tjra_dead_letters_total"] + 1)
    assert one.metrics()["tjra_events_stored_total"] == before["tjra_events_stored_total"] + 1


def test_requeued_messages_are_counted(watch: Callable[..., Watched], shop: str) -> None:
    one = watch("host=/nowhere")
    before = one.metrics()
    one.store.send(batch(received(shop)))
    until(lambda: one.waits_for() == ["PostgreSQL"])
    one.database.stopping.set()
    until(lambda: one.metrics()["tjra_messages_requeued_total"] > before["tjra_messages_requeued_total"])


def test_nothing_else_is_there(watch: Callable[..., Watched]) -> None:
    one = watch()
    assert one.client.get("/").status_code == one.client.get("/health/x").status_code == 404


def test_each_process_takes_the_next_free_port(unused_port: int) -> None:
    port = WorkerPort(Settings(), *[None] * 3)  # type: ignore[arg-type]
    servers = [listen("127.0.0.1", unused_port, port) for _ in range(3)]
    numbers = [server.server_address[1] for server in servers]
    for server in servers:
        server.server_close()
    assert numbers[0] >= unused_port
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < unused_port + 64


def test_a_consumer_that_has_ended_is_noticed(watch: Callable[..., Watched]) -> None:
    one = watch()
    assert one.stuck() == ""
    one.worker.consumers["default"].stop()
    until(lambda: one.stuck() == "the consumer of default has ended")


def consumer_of(one: Watched, queue_name: str) -> DurableConsumer:
    """What fetches the messages of a queue, once its thread has made it."""
    thread = one.worker.consumers[queue_name]
    until(lambda: thread.consumer)
    return cast("DurableConsumer", thread.consumer)


def test_a_consumer_that_is_stuck_is_noticed(watch: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    one = watch()
    go_on = Event()
    consumer = consumer_of(one, "default")
    fetch = consumer._fetch

    def hang() -> list[bytes | None]:
        go_on.wait()
        return fetch()

    monkeypatch.setattr(consumer, "_fetch", hang)
    until(lambda: "the consumer of default was last at work" in one.stuck())
    go_on.set()
    until(lambda: not one.stuck())


def test_a_flusher_that_is_stuck_is_noticed(
    watch: Callable[..., Watched], database_url: str, conn: Connection, shop: str
) -> None:
    one = watch()
    with psycopg.connect(database_url) as lock:
        lock.execute("lock table sites in exclusive mode")
        one.store.send(batch(received(shop)))
        until(lambda: somebody_waits_for_a_lock(conn))
        until(lambda: "a flusher has been writing for" in one.stuck())
    until(lambda: not one.stuck())


def test_a_flusher_that_has_ended_is_noticed(watch: Callable[..., Watched]) -> None:
    one = watch()
    one.flusher.after_worker_shutdown(one.worker.broker, one.worker)
    until(lambda: "2 of 2 flushers have ended" in one.stuck())


def test_a_worker_without_redis_waits_and_is_not_stuck(watch: Callable[..., Watched], redis: Redis) -> None:
    one = watch()
    redis.child.kill()
    until(lambda: one.waits_for() == ["Redis"])
    stays_well(one)
    redis.start()
    until(lambda: one.waits_for() == [])
    assert one.stuck() == ""


def test_a_worker_without_postgresql_waits_and_is_not_stuck(watch: Callable[..., Watched], shop: str) -> None:
    one = watch("host=/nowhere", connection_timeout=0.2, longest_pause=0.2)
    one.store.send(batch(received(shop)))
    until(lambda: one.waits_for() == ["PostgreSQL"])
    assert one.metrics()["tjra_postgresql_up"] == 0
    stays_well(one)


def stays_well(one: Watched) -> None:
    """It is not called stuck, for longer than the timeout."""
    end = time.monotonic() + 2 * TIMEOUT
    while time.monotonic() < end:
        assert one.stuck() == ""
        time.sleep(0.1)


def test_head_is_answered_as_get_without_a_body(watch: Callable[..., Watched]) -> None:
    client = watch().client
    for path in ("/health", "/metrics", "/nothing"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert set(head.headers) == set(get.headers)
