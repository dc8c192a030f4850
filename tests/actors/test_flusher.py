"""Writing in groups: what waits together is stored together, a bad event keeps nobody out, an outage loses nothing."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from dramatiq import Worker

from actors.broker import broker
from actors.worker.flusher import BESIDE_BYTES, Flusher, PendingMessage
from actors.worker.postgres import PostgresPool
from db.settings import Settings
from db.store.events import Message, lock_sites
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.servers.servers import until


class Running:
    """A flusher as it runs in a worker, and threads that bring it events."""

    def __init__(self, database_url: str) -> None:
        self.database = PostgresPool(Settings(database_url=database_url))
        self.flusher = Flusher(self.database)
        self.threads = ThreadPoolExecutor(16)
        worker = Worker(broker)  # never started: a hook asks how many threads it has
        self.hooks = (broker, worker)
        self.database.before_worker_boot(*self.hooks)
        self.flusher.before_worker_boot(*self.hooks)

    def store(self, events: bytes) -> Future[None]:
        return self.threads.submit(self.flusher.store, Message(str(uuid4()), events))

    def begin_to_stop(self) -> None:
        self.database.before_worker_shutdown(*self.hooks)

    def stop(self) -> None:
        self.begin_to_stop()
        self.threads.shutdown()
        self.flusher.after_worker_shutdown(*self.hooks)
        self.database.after_worker_shutdown(*self.hooks)


@pytest.fixture
def running() -> Iterator[Callable[[str], Running]]:
    """Starts flushers: `running(database_url)`."""
    started = []

    def start(database_url: str) -> Running:
        started.append(Running(database_url))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def stored(conn: Connection, shop: str) -> int:
    row = conn.execute("select count(*) from events where site_id = %s", [shop]).fetchone()
    return int(row[0]) if row else 0


def filed(conn: Connection, message_id: str) -> list[tuple[bytes, str, str | None]]:
    """The dead letters of a message: payload, error and SQLSTATE."""
    query = "select payload, error, sqlstate from dead_letters where message_id = %s order by id"
    return conn.execute(query, [message_id]).fetchall()


def settled(conn: Connection, shop: str) -> tuple[int, int, int]:
    """What became of the events that came in for a site: stored, duplicates and dead."""
    query = "select sum(stored)::int, sum(duplicates)::int, sum(dead)::int from settled_days where site_id = %s"
    stored, duplicates, dead = conn.execute(query, [shop]).fetchone() or (0, 0, 0)
    return stored, duplicates, dead


def somebody_waits_for_a_lock(conn: Connection) -> bool:
    """Whether a flush has begun and stands before a lock of the test's."""
    return bool(conn.execute("select from pg_locks where not granted").fetchall())


def test_what_arrives_while_a_flush_is_under_way_is_stored_as_one(
    running: Callable[[str], Running], database_url: str, conn: Connection, shop: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "actors.worker.flusher")
    one = running(database_url)
    with psycopg.connect(database_url) as lock:
        lock.execute("lock table sites in exclusive mode")
        first = one.store(batch(received(shop)))
        until(lambda: somebody_waits_for_a_lock(conn))
        others = [one.store(batch(received(shop), received(shop))) for _ in range(10)]
        until(lambda: len(one.flusher.waiting) == 10)
        assert not first.done()
    for future in (first, *others):
        future.result(10)
    assert [record.getMessage().rpartition(" in ")[0] for record in caplog.records] == [
        "stored 1 of 1 events from 1 messages",
        "stored 20 of 20 events from 10 messages",
    ]
    assert stored(conn, shop) == 21


def test_a_large_flush_begins_beside_one_that_is_under_way(
    running: Callable[[str], Running], database_url: str, conn: Connection, shop: str, other: str
) -> None:
    one = running(database_url)
    with psycopg.connect(database_url) as lock:
        lock_sites(lock, [shop])
        first = one.store(batch(received(shop)))
        until(lambda: somebody_waits_for_a_lock(conn))
        small = one.store(batch(received(other)))
        until(lambda: len(one.flusher.waiting) == 1)
        large = one.store(batch(*(received(other) for _ in range(BESIDE_BYTES // 100))))
        for future in (small, large):
            future.result(10)
        assert not first.done()
    first.result(10)
    assert differences(conn, shop, other) == {}


def test_large_flushes_leave_each_other_as_many_messages(
    running: Callable[[str], Running], database_url: str, shop: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "actors.worker.flusher")
    one = running(database_url)
    large = batch(*(received(shop) for _ in range(BESIDE_BYTES // 200)))
    with one.flusher.condition:  # so that nothing is taken before all are there
        waiting = [PendingMessage(Message(str(uuid4()), large)) for _ in range(2 * one.flusher.max_messages)]
        one.flusher.waiting.extend(waiting)
        one.flusher.waiting_bytes += len(waiting) * len(large)
        one.flusher.condition.notify()
    for part in waiting:
        part.done.result(30)
    flushed = [len(record.__dict__["message_ids"]) for record in caplog.records]
    assert flushed == [one.flusher.max_messages] * 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda event: event | {"path": None},
        lambda event: event | {"site_id": "x" * 256},
        lambda event: event | {"path": "".join(chr(0x4E00 + number) for number in range(2000))},
        lambda event: event | {"properties": {"a": "\0"}},
        lambda event: event | {"timestamp": "2500-01-01T00:00:00Z"},
        lambda event: event | {"timestamp": "not a time"},
        lambda event: event | {"event_id": 7},
        lambda event: [event],
        lambda _: None,
    ],
    ids=[
        "null",
        "too long",
        "too long for an index",
        "U+0000",
        "no partition",
        "no time",
        "no id",
        "nested",
        "nothing",
    ],
)
def test_a_bad_message_keeps_nobody_out(
    running: Callable[[str], Running], database_url: str, conn: Connection, shop: str, spoil: Callable[[object], object]
) -> None:
    one = running(database_url)
    bad = json.dumps([spoil(json.loads(batch(received(shop)))[0])]).encode()
    with psycopg.connect(database_url) as lock:
        lock.execute("lock table sites in exclusive mode")
        first = one.store(batch(received(shop)))
        until(lambda: somebody_waits_for_a_lock(conn))
        good = [one.store(batch(received(shop, user_id="ann"))) for _ in range(5)]
        message = Message(str(uuid4()), bad)
        spoiled = one.threads.submit(one.flusher.store, message)
        good += [one.store(batch(received(shop))) for _ in range(5)]
        until(lambda: len(one.flusher.waiting) == 11)
    for future in (first, *good, spoiled):
        future.result(10)
    assert stored(conn, shop) == 11
    assert differences(conn, shop) == {}
    assert [payload for payload, _, _ in filed(conn, message.id)] == [bad[1:-1]]


@pytest.mark.parametrize("bad", [b"", b"[", b"{}", b"7", b'"x"', b"[7]", b"\xff", b"[]\0"], ids=repr)
def test_what_is_no_list_of_events_is_filed(
    running: Callable[[str], Running], database_url: str, conn: Connection, bad: bytes
) -> None:
    message = Message(str(uuid4()), bad)
    running(database_url).flusher.store(message)
    ((payload, error, _),) = filed(conn, message.id)
    assert payload == (b"7" if bad == b"[7]" else bad)
    assert error


def test_three_poison_events_among_a_thousand_are_filed_and_the_rest_is_stored(
    running: Callable[[str], Running], database_url: str, conn: Connection, shop: str
) -> None:
    events = json.loads(batch(*(received(shop, user_id=f"user {number % 100}") for number in range(1_000))))
    events[17]["path"] = None
    events[500]["properties"] = {"a": "\0"}
    events[999]["timestamp"] = "2500-01-01T00:00:00Z"
    message = Message(str(uuid4()), json.dumps(events).encode())
    one = running(database_url)
    one.flusher.store(message)
    one.flusher.store(message)  # delivered again
    assert stored(conn, shop) == 997
    assert differences(conn, shop) == {}
    letters = {json.loads(payload)["event_id"]: sqlstate for payload, _, sqlstate in filed(conn, message.id)}
    assert letters == {
        events[17]["event_id"]: "23502",
        events[500]["event_id"]: "22P05",
        events[999]["event_id"]: "23514",
    }
    assert settled(conn, shop) == (997, 0, 3)


def test_a_message_that_is_delivered_again_counts_once_and_an_event_sent_again_as_a_duplicate(
    running: Callable[[str], Running], database_url: str, conn: Connection, shop: str
) -> None:
    one = running(database_url)
    ann, bob = received(shop, user_id="ann"), received(shop, user_id="bob")
    first, second = Message(str(uuid4()), batch(ann, bob)), Message(str(uuid4()), batch(bob))
    for message in (first, second, first, second, first):
        one.flusher.store(message)
    assert settled(conn, shop) == (2, 1, 0)
    assert differences(conn, shop) == {}


def test_messages_delivered_again_keep_nobody_out(
    running: Callable[[str], Running], database_url: str, conn: Connection, shop: str
) -> None:
    one = running(database_url)
    again = Message(str(uuid4()), batch(received(shop)))
    one.flusher.store(again)
    with psycopg.connect(database_url) as lock:
        lock.execute("lock table sites in exclusive mode")
        first = one.store(batch(received(shop)))
        until(lambda: somebody_waits_for_a_lock(conn))
        messages = [again, Message(str(uuid4()), batch(received(shop))), again]
        futures = [one.threads.submit(one.flusher.store, message) for message in messages]
        until(lambda: len(one.flusher.waiting) == 3)
    for future in (first, *futures):
        future.result(10)
    assert settled(conn, shop) == (3, 0, 0)
