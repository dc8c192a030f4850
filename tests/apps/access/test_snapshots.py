"""What workers hand on to ingestion of keys, logins and sites: always of now, whatever happens to the servers."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from actors.access import PAUSE, AccessPublisher
from actors.queue.access_snapshot import SnapshotReader, name_of, publish
from apps.access import snapshots
from apps.access.snapshots import Known, Snapshots
from apps.events.resources import EventResources
from apps.ingestion import IngestionApp
from apps.sdks.shared.resources import SdkResources
from db.access.snapshot import read_snapshot
from db.access.tokens import hash_of
from db.connections.pools import write_pool
from db.settings import load
from tests.builders.factories import event
from tests.conftest import Connection, MakeBroker
from tests.servers.servers import Redis, until

#: The publisher asks nothing of it.
WORKER: Any = None


class Database:
    """A pool, as a worker has one."""

    def __init__(self, url: str) -> None:
        self.pool = write_pool(url, connections=1)


@contextmanager
def publishing(broker: Any, url: str, *, pause: float = PAUSE) -> Iterator[Database]:
    """A worker process that hands on what this database has."""
    database = Database(url)
    database.pool.open()
    publisher = AccessPublisher(broker, cast("Any", database), pause=pause)
    publisher.after_worker_boot(broker, WORKER)
    try:
        yield database
    finally:
        publisher.before_worker_shutdown(broker, WORKER)
        database.pool.close()


@contextmanager
def ingestion_on(broker: Any, redis: Redis) -> Iterator[httpx.Client]:
    resources = SdkResources(EventResources(load(), broker, redis.server.url))
    with TestClient(IngestionApp(resources)) as client:
        yield client


def create(reporting: httpx.Client, **fields: Any) -> tuple[str, dict[str, str]]:
    made = reporting.post("/keys", json={"name": "till", "scopes": ["events:write"], **fields}).json()
    return made["key"]["id"], {"Authorization": f"Bearer {made['secret']}"}


def status(client: httpx.Client, shop: str, headers: dict[str, str]) -> int:
    return client.post("/event", json=event(shop), headers=headers).status_code


def test_a_key_is_known_soon_and_dead_within_ten_seconds_and_goes_on_without_postgresql(
    make_broker: MakeBroker, redis: Redis, database_url: str, reporting: httpx.Client, shop: str
) -> None:
    assert PAUSE + snapshots.PAUSE < 10
    broker = make_broker()
    with ingestion_on(broker, redis) as client:
        key_id, headers = create(reporting)
        assert status(client, shop, headers) == 503  # nobody has told of any key yet
        with publishing(broker, database_url, pause=0.5):
            until(lambda: status(client, shop, headers) == 202, timeout=10)
            broker.client.flushall()
            until(lambda: broker.client.exists(name_of("test")), timeout=10)
            revoked = time.monotonic()
            assert reporting.delete(f"/keys/{key_id}").status_code == 200
            until(lambda: status(client, shop, headers) == 401, timeout=10)
            assert time.monotonic() - revoked < 10
        _, headers = create(reporting)
        with publishing(broker, database_url, pause=0.5):
            until(lambda: status(client, shop, headers) == 202, timeout=10)
        with publishing(broker, "host=/nowhere", pause=0.5):  # PostgreSQL is away now
            broker.client.delete(name_of("test"))
            time.sleep(2 * snapshots.PAUSE)
            assert status(client, shop, headers) == 202
        assert status(client, shop, {"Authorization": headers["Authorization"][:-1] + "!"}) == 401


def test_two_namespaces_on_one_redis_know_their_own_keys_only(
    make_broker: MakeBroker, redis: Redis, database_url: str, reporting: httpx.Client, shop: str
) -> None:
    one, another = make_broker(), make_broker()
    another.namespace = "another"
    _, headers = create(reporting)
    with publishing(one, database_url), ingestion_on(one, redis) as mine, ingestion_on(another, redis) as theirs:
        until(lambda: status(mine, shop, headers) == 202, timeout=10)
        assert status(theirs, shop, headers) == 503
        assert [name for name in broker_names(one) if name.endswith(b":access")] == [b"test:access"]


def broker_names(broker: Any) -> list[bytes]:
    return list(broker.client.scan_iter("*"))


def test_it_is_written_once_for_each_change(
    make_broker: MakeBroker, redis: Redis, conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    broker = make_broker()
    assert publish(broker.client, "test", read_snapshot(conn))
    assert not publish(broker.client, "test", read_snapshot(conn))
    for change in (
        lambda: reporting.put(f"/sites/{shop}", json={"origins": ["https://Shop.example"]}),
        lambda: create(reporting),
    ):
        cast("Callable[[], object]", change)()
        assert publish(broker.client, "test", read_snapshot(conn))
        assert not publish(broker.client, "test", read_snapshot(conn))
    assert b"tjra_" not in cast("bytes", broker.client.hget("test:access", "snapshot"))


def test_what_is_not_valid_is_not_handed_on(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    key_id, headers = create(reporting, sites=[shop])
    secret = headers["Authorization"].partition(" ")[2]
    cookie = reporting.post("/login", json={"key": secret}).headers["set-cookie"]
    login = cookie.partition("=")[2].partition(";")[0]
    reporting.cookies.clear()

    def holders() -> list[str | None]:
        known = Known(read_snapshot(conn))
        found = known.holder("key", secret), known.holder("login", login)
        assert all(one is None or (one.key_id == UUID(key_id) and one.sites == frozenset({shop})) for one in found)
        return [one.name if one else None for one in found]

    assert holders() == ["till", "till"]
    conn.execute("update logins set seen_at = now() - interval '15 days' where key_id = %s", [key_id])
    assert holders() == ["till", None]
    conn.execute("update logins set seen_at = now() where key_id = %s", [key_id])
    conn.execute("update keys set expires_at = now() - interval '1 second' where id = %s", [key_id])
    assert holders() == [None, None]
    conn.execute("update keys set expires_at = null, revoked_at = now() where id = %s", [key_id])
    assert holders() == [None, None]


def test_keys_end_by_the_clock_of_ingestion(conn: Connection, reporting: httpx.Client) -> None:
    _, headers = create(reporting, expires_at="2100-01-01T00:00:00Z")
    known = Known(read_snapshot(conn))
    secret = headers["Authorization"].partition(" ")[2]
    assert known.holder("key", secret)
    hashed = hash_of(secret).hex()
    key, identity = known.keys[hashed]
    known.keys[hashed] = msgspec.structs.replace(key, expires_at=datetime.now(UTC)), identity
    assert known.holder("key", secret) is None


@pytest.mark.parametrize("value", [b"{", b"[]", b'{"keys": [{"hash": 1}]}'])
def test_what_is_no_snapshot_changes_nothing_and_is_logged_once(
    make_broker: MakeBroker, redis: Redis, caplog: pytest.LogCaptureFixture, value: bytes
) -> None:
    broker = make_broker()
    broker.client.hset("test:access", mapping={"version": b"x", "snapshot": value})

    async def look() -> Snapshots:
        found = Snapshots(SnapshotReader(broker, redis.server.url))
        for _ in range(3):
            await found._try()
        await found.reader.close()
        return found

    assert asyncio.run(look()).known is None
    assert caplog.text.count("cannot read the keys and sites (Redis)") == 1
