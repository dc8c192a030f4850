"""What `tjra backup` and `tjra restore` refuse, and that it changes nothing; what they leave alone."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from apps.cli import main
from db.migrations import LAST_CARRIED_OVER, migrate
from db.queries import MIGRATIONS
from db.store.events import store_messages
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.before import migrate_as_before
from tests.oracles.short_life import message
from tests.servers.servers import temporary_folder

EmptyDatabase = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs a command on a database without a queue."""
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.chdir(tmp_path)

    def run(url: str, *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("DATABASE_URL", url)
        done = CliRunner().invoke(main, arguments)
        return done.exit_code, done.output

    return run


def holding(url: str, *sites: str) -> str:
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        for site in sites:
            store_messages(conn, [message(received(site, user_id="ann"))])
    return url


def contents(url: str) -> list[tuple[str, int]]:
    """Each site, with its events as they are and as they are counted."""
    with psycopg.connect(url) as conn:
        return conn.execute(
            "select site_id, count(*) from events group by 1 union all"
            " select site_id, sum(events)::bigint from event_hours group by 1 order by 1"
        ).fetchall()


def test_tables_of_others_stay_and_what_holds_events_is_not_replaced_unasked(
    run: Any, empty_database: EmptyDatabase
) -> None:
    source, target = holding(empty_database(), "shop"), holding(empty_database(), "other")
    for url in (source, target):
        with psycopg.connect(url) as conn:
            conn.execute("create table theirs as select 1 as one")
    assert run(source, "backup", "file", "--without-queue")[0] == 0
    assert "which is not ours" in run(source, "backup", "second", "--without-queue")[1]
    code, told = run(target, "restore", "file")
    assert (code, told.startswith("Error: nothing was restored: the database holds events")) == (1, True)
    assert contents(target) == [("other", 1)] * 2
    with psycopg.connect(target) as conn:
        conn.execute("create view of_theirs as select site_id from events")
    assert "1 tables or views of others depend on" in run(target, "restore", "file", "--replace")[1]
    assert contents(target) == [("other", 1)] * 2
    with psycopg.connect(target) as conn:
        conn.execute("drop view of_theirs")
    assert run(target, "restore", "file", "--replace")[0] == 0
    assert contents(target) == [("shop", 1)] * 2
    with psycopg.connect(target) as conn:
        assert conn.execute("select one from theirs").fetchone() == (1,)


def test_an_older_backup_is_brought_to_this_version(run: Any, empty_database: EmptyDatabase) -> None:
    source, target = empty_database(), empty_database()
    migrate_as_before(source)
    with psycopg.connect(source, autocommit=True) as conn:
        one = received("shop", user_id="ann")
        conn.execute("select make_partition(%s)", [one.timestamp])
        conn.execute("select store_events(%s::text::jsonb, now())", [batch(one).decode()])
    assert run(source, "backup", "file", "--without-queue")[0] == 0
    code, told = run(target, "restore", "file")
    later = [path for path in MIGRATIONS if path.stem > LAST_CARRIED_OVER]
    assert (code, told.count("applied ")) == (0, 2 + len(later))
    assert contents(target) == [("shop", 1)] * 2
    assert migrate(target) == []


def changed(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data) if name == part else data)


def about(**fields: Any) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        changed(path, "backup.json", lambda data: json.dumps(json.loads(data) | fields).encode())

    return spoil


NEWER = {path.stem: "" for path in MIGRATIONS} | {"9999_later": ""}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "cannot read"),
        (lambda path: path.write_bytes(b"PGDMP"), "is not a whole backup"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is not a whole backup"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"event_hours", b"event_hoorn")), "is damaged"),
        (about(format=2), "was made by a newer version"),
        (about(migrations=NEWER), "another copy of this program"),
        (about(schema="elsewhere"), "the backup's tables are in schema elsewhere"),
        (lambda path: changed(path, "database.dump", lambda data: data[:-3000]), "nothing was restored"),
    ],
    ids=["no file", "no backup", "cut", "damaged", "newer format", "newer", "another schema", "half a dump"],
)
def test_what_cannot_be_restored_changes_nothing(
    run: Any, empty_database: EmptyDatabase, backed_up: Path, tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    target = holding(empty_database(), "other")
    shutil.copy(backed_up, tmp_path / "file")
    spoil(tmp_path / "file")
    code, told = run(target, "restore", "file", "--replace")
    assert (code, reason in told) == (1, True), told
    assert contents(target) == [("other", 1)] * 2


@pytest.fixture(scope="module")
def backed_up(database_url: str) -> Iterator[Path]:
    """A backup of a database with an event."""
    folder = temporary_folder()
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(f"create database {name} encoding 'UTF8' locale 'C' template template0".encode())
        url = holding(make_conninfo(database_url, dbname=name), "shop")
        done = CliRunner(env={"DATABASE_URL": url}).invoke(main, ["backup", str(folder / "file"), "--without-queue"])
        assert done.exit_code == 0, done.output
        yield folder / "file"
        conn.execute(f"drop database {name} with (force)".encode())
    shutil.rmtree(folder)


def test_a_backup_is_whole_or_not_there(run: Any, database_url: str, tmp_path: Path, conn: Connection) -> None:
    (tmp_path / "mine").write_text("mine")
    assert "exists already" in run(database_url, "backup", "mine", "--without-queue")[1]
    assert (tmp_path / "mine").read_text() == "mine"
    code, told = run(database_url, "backup", "file")
    assert (code, "REDIS_URL is not set" in told or "Redis" in told) == (1, True), told
    code, told = run(make_conninfo(database_url, dbname="template1"), "backup", "file", "--without-queue")
    assert (code, "there is nothing to back up" in told) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_database_that_tells_its_clients_another_encoding_is_backed_up(
    run: Any, empty_database: EmptyDatabase, tmp_path: Path
) -> None:
    url = holding(empty_database(), "\u1680 shop")  # which LATIN1 does not have
    with psycopg.connect(url, autocommit=True) as conn:
        name = conn.info.dbname
        for setting in ("client_encoding = 'LATIN1'", "datestyle = 'SQL, DMY'", "extra_float_digits = 0"):
            conn.execute(f"alter database {name} set {setting}".encode())
    assert run(url, "backup", "file", "--without-queue")[0] == 0
    restored = empty_database()
    code, told = run(restored, "restore", "file")
    assert code == 0, told
    assert contents(restored) == [("\u1680 shop", 1), ("\u1680 shop", 1)]
