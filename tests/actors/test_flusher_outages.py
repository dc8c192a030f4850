"""The flusher while PostgreSQL is not migrated, away or read-only."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from actors.durable.retries import Requeue
from apps.up.embedded.postgres import EmbeddedPostgres
from apps.up.processes.child_process import ChildProcess
from db.connections.pools import probe
from db.migrations import migrate
from tests.actors.test_flusher import Running, running, stored
from tests.builders.factories import batch, received
from tests.db.schema.test_migrations import EmptyDatabase
from tests.oracles.recount import differences
from tests.servers.servers import eventually, temporary_folder, until

__all__ = ["running"]


def test_it_waits_for_a_database_that_is_not_migrated_yet(
    running: Callable[[str], Running], empty_database: EmptyDatabase, shop: str
) -> None:
    url = empty_database()
    one = running(url)
    future = one.store(batch(received(shop)))
    time.sleep(0.3)
    assert not future.done()
    migrate(url)
    future.result(10)


@pytest.fixture
def postgres() -> Iterator[tuple[str, ChildProcess]]:
    """A PostgreSQL of the test's own, migrated, to be killed."""
    folder = temporary_folder()
    server = EmbeddedPostgres(folder / "postgres")
    child = server.child(log=folder / "postgres.log")
    child.start()
    eventually(lambda: probe(server.url))
    migrate(server.url)
    yield server.url, child
    child.kill()
    shutil.rmtree(folder)


def test_it_waits_in_place_while_postgresql_is_away_and_goes_on_by_itself(
    running: Callable[[str], Running], postgres: tuple[str, ChildProcess], shop: str
) -> None:
    url, child = postgres
    one = running(url)
    one.store(batch(received(shop))).result(10)
    with psycopg.connect(url) as conn:
        sessions = [
            pid for (pid,) in conn.execute("select pid from pg_stat_activity where backend_type = 'client backend'")
        ]
    child.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in sessions))  # they outlive the server for a moment
    futures = [one.store(batch(received(shop))) for _ in range(10)]
    time.sleep(1)
    assert not any(future.done() for future in futures)
    child.start()
    for future in futures:
        future.result(30)
    with psycopg.connect(url) as conn:
        assert stored(conn, shop) == 11
        assert differences(conn, shop) == {}


def test_a_stop_while_postgresql_is_away_gives_the_messages_back(
    running: Callable[[str], Running], postgres: tuple[str, ChildProcess], shop: str
) -> None:
    url, child = postgres
    one = running(url)
    child.kill()
    futures = [one.store(batch(received(shop))) for _ in range(10)]
    time.sleep(0.3)
    one.begin_to_stop()
    for future in futures:
        with pytest.raises(Requeue):
            future.result(10)


def test_a_read_only_database_counts_as_away(
    running: Callable[[str], Running], empty_database: EmptyDatabase, shop: str
) -> None:
    url = empty_database()
    migrate(url)
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f"alter database {name} set default_transaction_read_only = on".encode())
    one = running(url)
    future = one.store(batch(received(shop)))
    time.sleep(0.3)
    assert not future.done()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("set default_transaction_read_only = off")
        conn.execute(f"alter database {name} reset default_transaction_read_only".encode())
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
    future.result(30)
