"""A restore that is killed or fails at its commit: nothing is lost, nothing is there twice, and it can be repeated."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from dramatiq.message import Message as QueuedMessage

from actors.queue.backup import EVENTS, BackupQueue
from apps.backup.restoring import COMMITTED, Psql, RestoreFailed
from db.store.events import AlreadySettled, Message, store_messages
from tests.builders.factories import batch, received
from tests.builders.wired import wired
from tests.servers.servers import Redis
from tests.system.test_backup_refused import contents, holding

Run = Callable[..., tuple[int, str]]
NAMESPACE = "interrupted"
#: What a backup holds: an event that is stored, and two that are in the queue.
ALL = [("shop", 3)] * 2


@pytest.fixture
def queue(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> BackupQueue:
    monkeypatch.setenv("REDIS_URL", redis.server.url)
    monkeypatch.setenv("REDIS_NAMESPACE", NAMESPACE)
    return BackupQueue(redis.server.url, namespace=NAMESPACE)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command on a database, with parts that a test gives it."""
    monkeypatch.chdir(tmp_path)

    def run(url: str, *arguments: str, **parts: Any) -> tuple[int, str]:
        monkeypatch.setenv("DATABASE_URL", url)
        done = CliRunner().invoke(wired(arguments[0], **parts), arguments)
        return done.exit_code, done.output

    return run


@pytest.fixture
def target(run: Run, queue: BackupQueue, empty_database: Callable[..., str]) -> str:
    """An empty database, a file to restore, and an empty queue."""
    source = holding(empty_database(), "shop")
    for user in ("ann", "bob"):
        events = batch(received("shop", user_id=user))
        message: QueuedMessage[Any] = QueuedMessage(EVENTS, "store_events", (events,), {}, {})
        queue.put_back(EVENTS, message.encode())
    assert run(source, "backup", "file")[0] == 0
    queue.broker.client.flushall()
    return empty_database()


def queued(queue: BackupQueue) -> list[bytes]:
    """What is in the queue."""
    return list(queue.broker.client.hvals(f"{NAMESPACE}:{EVENTS}.msgs"))


def store_queued(queue: BackupQueue, url: str) -> None:
    """Do what a worker does."""
    with psycopg.connect(url, autocommit=True) as conn:
        for data in queued(queue):
            message: QueuedMessage[Any] = QueuedMessage.decode(data)
            try:
                store_messages(conn, [Message(message.message_id, message.args[0])])
            except AlreadySettled:
                continue
    queue.broker.client.flushall()


def has_tables(url: str) -> bool:
    with psycopg.connect(url) as conn:
        return conn.execute("select to_regclass('events')").fetchone() != (None,)


def mark(url: str) -> str | None:
    with psycopg.connect(url) as conn:
        ((text,),) = conn.execute("select obj_description('migrations'::regclass, 'pg_class')").fetchall()
        return None if text is None else str(text)


def end_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


def at_the_commit(what: Callable[[], object]) -> type[Psql]:
    """A psql for which this happens immediately before it is told to commit."""

    class Interrupted(Psql):
        def say(self, text: str) -> None:
            if text.startswith("commit"):
                what()
            super().say(text)

    return Interrupted


class Losing(Psql):
    """A psql whose connection is lost after the commit, before one hears of it."""

    def wait_for(self, line: str) -> None:
        super().wait_for(line)
        if line == COMMITTED:
            raise RestoreFailed("the connection was lost")


class Dying:
    """A queue into which a process puts so many messages of a backup before it is killed."""

    def __init__(self, queue: BackupQueue, put: int) -> None:
        self.queue = queue
        self.left = put

    def put_back(self, name: str, data: bytes) -> None:
        if self.left:
            self.queue.put_back(name, data)
            self.left -= 1
            if len(queued(self.queue)) < len(ALL):
                return
        raise SystemExit(137)


def check_whole(queue: BackupQueue, url: str) -> None:
    """All of the backup is there, once."""
    assert mark(url) is None
    store_queued(queue, url)
    assert contents(url) == ALL


def test_a_restore_leaves_no_mark(run: Run, queue: BackupQueue, target: str) -> None:
    code, told = run(target, "restore", "file")
    assert (code, "2 messages are in the queue again" in told) == (0, True), told
    assert len(queued(queue)) == 2
    check_whole(queue, target)


def test_a_commit_that_fails_leaves_database_and_queue_as_they_were(run: Run, queue: BackupQueue, target: str) -> None:
    code, told = run(target, "restore", "file", psql=at_the_commit(lambda: end_connections(target)))
    assert (code, told.startswith("Error: nothing was restored: ")) == (1, True), told
    assert queued(queue) == []
    assert not has_tables(target)
    assert run(target, "restore", "file")[0] == 0
    check_whole(queue, target)


def test_killed_before_the_commit_it_leaves_all_as_it_was(run: Run, queue: BackupQueue, target: str) -> None:
    def killed() -> None:
        raise SystemExit(137)

    assert run(target, "restore", "file", psql=at_the_commit(killed))[0] == 137
    assert queued(queue) == []
    assert not has_tables(target)
    assert run(target, "restore", "file")[0] == 0
    check_whole(queue, target)


def test_a_commit_whose_outcome_is_lost_is_found_in_the_database(run: Run, queue: BackupQueue, target: str) -> None:
    assert run(target, "restore", "file", psql=Losing)[0] == 0
    check_whole(queue, target)


@pytest.mark.some(1)
@pytest.mark.parametrize("put", [0, 1, 2])
def test_killed_after_the_commit_the_next_run_puts_back_what_is_left(
    run: Run, queue: BackupQueue, target: str, put: int
) -> None:
    assert run(target, "restore", "file", queue=Dying(queue, put))[0] == 137
    assert (len(queued(queue)), "not all in the queue yet" in (mark(target) or "")) == (put, True)
    # Life goes on, and what happens meanwhile stays.
    store_queued(queue, target)
    holding(target, "other")
    other = run(target, "backup", "second")
    assert other[0] == 0
    code, told = run(target, "restore", "second")
    assert (code, "another restore has not finished" in told) == (1, True), told
    code, told = run(target, "restore", "file", "--replace")
    assert (code, "the database is restored already" in told) == (0, True), told
    assert mark(target) is None
    store_queued(queue, target)
    assert contents(target) == [("other", 1)] * 2 + ALL
    # It has finished: from now on this is a restore of its own again.
    assert "holds events" in run(target, "restore", "file")[1]
    assert run(target, "restore", "file", "--replace")[0] == 0
    check_whole(queue, target)


def test_a_queue_that_is_gone_after_the_commit_is_told(run: Run, queue: BackupQueue, redis: Redis, target: str) -> None:
    code, told = run(target, "restore", "file", psql=at_the_commit(redis.child.kill))
    assert (code, "the database is restored, but the queue (Redis) did not take" in told) == (1, True), told
    redis.start()
    code, told = run(target, "restore", "file")
    assert (code, "restored already" in told) == (0, True), told
    check_whole(queue, target)
