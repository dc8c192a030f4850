"""`tjra backup`, `tjra restore` and `tjra psql`, while everything runs: what was accepted is there again, elsewhere."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from apps.cli import main
from db.migrations import migrate
from db.queries import MIGRATIONS
from db.store import store_messages
from tests.conftest import Connection
from tests.factories import event, received
from tests.recount import differences
from tests.servers import temporary_folder, until
from tests.short_life import message
from tests.stack import Stack, clean_environment, send

SITE = "shop'\\ ✓"
#: What reports are made of.
TABLES = ["events", "event_hours", "path_days", "user_days", "users", "orders", "sale_days", "event_totals", "sites"]
EmptyDatabase = Callable[..., str]


@pytest.fixture(scope="module")
def stacks() -> Iterator[tuple[Stack, Stack]]:
    """Two systems: one that has lived, and a fresh one."""
    folder = temporary_folder()
    both = Stack(folder / "old" / "data"), Stack(folder / "new" / "data")
    for stack in both:
        stack.wait_until_up()
    yield both
    with ThreadPoolExecutor() as threads:
        assert list(threads.map(Stack.stop, both)) == [0, 0]
    shutil.rmtree(folder)


def tjra(stack: Stack, *arguments: str) -> str:
    """What a command says that has no address but the folder of data."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "apps", *arguments],
        env=clean_environment() | {"DATA_DIR": str(stack.data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def some_events(count: int, site: str = SITE) -> list[dict[str, Any]]:
    return [
        event(
            site,
            event_id=str(uuid4()),
            event_type=("page_view", "click", "purchase")[number % 3],
            user_id=f"{number % 7}",
            path=f"/{number % 5}",
            timestamp=f"2026-03-{1 + number % 28:02}T10:00:{number % 60:02}Z",
            properties={"revenue": number, "currency": "EUR", "order_id": str(uuid4())},
        )
        for number in range(count)
    ]


def rows(stack: Stack, table: str, but: str = "") -> list[str]:
    """All rows of a table, as text, but those of a site."""
    with stack.connect() as conn:
        return sorted(
            text
            for (text, site) in conn.execute(f"select t::text, to_jsonb(t)->>'site_id' from {table} t".encode())
            if site != but
        )


def stored(stack: Stack) -> set[str]:
    with stack.connect() as conn:
        return {str(found) for (found,) in conn.execute("select event_id from events")}


def test_what_was_accepted_before_a_backup_began_is_restored_elsewhere(
    stacks: tuple[Stack, Stack], tmp_path: Path
) -> None:
    old, new = stacks
    accepted: list[str] = []
    stopped = Event()

    def load() -> None:
        while not stopped.is_set():
            events = some_events(20)
            send(old.ingestion, events)
            accepted.extend(each["event_id"] for each in events)

    with ThreadPoolExecutor(3) as threads:
        loading = [threads.submit(load) for _ in range(3)]
        until(lambda: len(accepted) > 300)
        before = set(accepted)
        tjra(old, "backup", str(tmp_path / "loaded"))
        stopped.set()
        for each in loading:
            each.result()
    assert (tmp_path / "loaded").stat().st_mode & 0o777 == 0o600
    assert len(accepted) > len(before)
    assert "restored: all events accepted before" in tjra(new, "restore", str(tmp_path / "loaded"))
    until(lambda: before <= stored(new))
    tjra(new, "verify")

    # At rest all tables are the same; what is stored meanwhile where it is restored waits, and is not lost.
    until(lambda: set(accepted) <= stored(old))
    tjra(old, "backup", str(tmp_path / "rested"))
    sent = some_events(10, site="other")
    with ThreadPoolExecutor(1) as threads:
        sending = [threads.submit(send, new.ingestion, [each]) for each in sent]
        tjra(new, "restore", str(tmp_path / "rested"), "--replace")
        for each in sending:
            each.result()
    send(new.ingestion, [event("other", event_id=str(uuid4()))])
    until(lambda: any("other" in row for row in rows(new, "sites")))
    for table in TABLES:
        assert rows(new, table, "other") == rows(old, table), table
    tjra(new, "verify")


def test_psql_is_connected(stacks: tuple[Stack, Stack]) -> None:
    assert tjra(stacks[0], "psql", "-tAc", "select count(*) from kept_events") == "0\n"


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


def contents(url: str) -> Any:
    with psycopg.connect(url) as conn:
        return sorted(site for (site,) in conn.execute("select site_id from events")), differences(conn)


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
    assert contents(target) == (["other"], {})
    with psycopg.connect(target) as conn:
        conn.execute("create view of_theirs as select site_id from events")
    assert "1 tables or views of others depend on" in run(target, "restore", "file", "--replace")[1]
    assert contents(target) == (["other"], {})
    with psycopg.connect(target) as conn:
        conn.execute("drop view of_theirs")
    assert run(target, "restore", "file", "--replace")[0] == 0
    assert contents(target) == (["shop"], {})
    with psycopg.connect(target) as conn:
        assert conn.execute("select one from theirs").fetchone() == (1,)


def test_an_older_backup_is_brought_to_this_version(run: Any, empty_database: EmptyDatabase) -> None:
    source, target = empty_database(), empty_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("db.migrations.MIGRATIONS", MIGRATIONS[:-3])
        holding(source)
    assert run(source, "backup", "file", "--without-queue")[0] == 0
    code, told = run(target, "restore", "file")
    assert (code, told.count("applied ")) == (0, 3)
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
    assert contents(target) == (["other"], {})


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
    assert "is there already" in run(database_url, "backup", "mine", "--without-queue")[1]
    assert (tmp_path / "mine").read_text() == "mine"
    code, told = run(database_url, "backup", "file")
    assert (code, "REDIS_URL is not set" in told or "Redis" in told) == (1, True), told
    code, told = run(make_conninfo(database_url, dbname="template1"), "backup", "file", "--without-queue")
    assert (code, "there is nothing to back up" in told) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
