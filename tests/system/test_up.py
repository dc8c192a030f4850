"""`tjra up`: all in one command; what dies comes back, what stops leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from apps.up.data_dir import DataFolder
from apps.up.processes.supervisor import StartFailed
from apps.up.stack import up
from db.settings import Settings
from tests.builders.factories import event
from tests.oracles.recount import differences
from tests.servers.servers import Servers, eventually, temporary_folder, until
from tests.servers.stack import LIBPQ, PARTS, Stack, clean_environment, send

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = temporary_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Stack]:
    """A system that the tests of this file share, whatever they do to it."""
    stack = Stack(folder / "shared")
    stack.wait_until_up()
    yield stack
    stack.stop()


def views(stack: Stack, shop: str) -> int:
    return int(stack.reporting.get("/stats", params={"site_id": shop}).json()["total_views"])


def batches(shop: str, events: int, *, size: int = 100) -> Iterator[list[dict[str, Any]]]:
    """Batches of different events with ids, so that sending one again is safe."""
    for start in range(0, events, size):
        yield [
            event(shop, event_id=str(uuid4()), user_id=f"user {number % 997}", path=f"/{number % 37}")
            for number in range(start, start + size)
        ]


def test_it_runs_everything(stack: Stack, shop: str) -> None:
    assert stack.ingestion.post("/event", json=event(shop)).status_code == 202
    until(lambda: views(stack, shop) == 1)
    assert {part: len(stack.pids(part)) > 0 for part in PARTS} == dict.fromkeys(PARTS, True)


def test_another_terminal_can_join_by_the_env_file(stack: Stack) -> None:
    assert list(stack.addresses()) == ["DATABASE_URL", "REDIS_URL", "INGESTION_PORT", "REPORTING_PORT"]
    for secret in ("env", "postgres.log", "redis.log"):
        assert (stack.data / secret).stat().st_mode & 0o777 == 0o600
    with stack.connect() as conn:
        assert conn.execute("show server_encoding").fetchone() == ("UTF8",)
    code = "from actors.broker import broker; print(broker.client.ping())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment() | stack.addresses(), capture_output=True, check=True
    )
    assert done.stdout == b"True\n"


def test_a_second_one_on_the_same_folder_is_refused_with_the_reason(stack: Stack) -> None:
    second = Stack(stack.data)
    assert second.process.wait(30) == 1
    assert f"another `tjra up` (process {stack.process.pid}) runs on it" in second.output()


def test_a_taken_port_is_refused_with_the_reason(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        stack = Stack(folder / "taken", "--reporting-port", port)
        assert stack.process.wait(30) == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use; --reporting-port or" in stack.output()
    assert not stack.processes()
    assert not stack.data.exists()  # a start that failed leaves no folder behind


def test_an_address_that_is_not_ours_is_refused_with_the_reason(folder: Path) -> None:
    for host in ("192.0.2.1", "no-such-host.invalid"):  # the first is for documentation (RFC 5737)
        stack = Stack(folder / "elsewhere", "--listen-host", host)
        assert stack.process.wait(30) == 1
        assert f"cannot listen on {host} port 0: " in stack.output()
        assert "--listen-host or LISTEN_HOST chooses another address" in stack.output()


def test_a_folder_that_cannot_hold_data_is_refused_with_the_reason(folder: Path) -> None:
    (folder / "file").touch()
    stack = Stack(folder / "file")
    assert stack.process.wait(30) == 1
    assert stack.output().startswith(f"Error: {folder / 'file'} cannot hold the data: File exists; --data-dir or")


def test_a_shell_reads_the_env_file_as_it_was_written(tmp_path: Path) -> None:
    variables = {
        "DATABASE_URL": "postgresql://ann:it's%20$HOME@db.example/shop?sslmode=require&channel_binding=require",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "PG": "host=db.example user=ann",
    }
    DataFolder(tmp_path).write_env(variables)
    script = "set -a; . ./env; exec env -0"
    done = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, env={}, capture_output=True, text=True, check=True)
    read = dict(line.split("=", 1) for line in done.stdout.rstrip("\0").split("\0"))
    assert {name: read[name] for name in variables} == variables
    assert "REDIS_URL=redis://127.0.0.1:6379/0\n" in (tmp_path / "env").read_text()  # as it is, where it can be


@pytest.mark.some(2)
@pytest.mark.parametrize("part", ["worker", "redis", "postgresql", "ingestion", "reporting"])
def test_events_that_are_sent_while_a_part_is_killed_are_stored_once(stack: Stack, shop: str, part: str) -> None:
    events = 10_000 if part == "worker" else 3_000
    before = stack.pids(part)
    with ThreadPoolExecutor(4) as threads:
        sent = [threads.submit(send, stack.ingestion, batch) for batch in batches(shop, events)]
        until(lambda: sum(one.done() for one in sent) > len(sent) // 4)
        stack.kill(part)
        for one in sent:
            one.result()
    with eventually(stack.connect) as conn:
        query = "select count(*), count(distinct event_id) from events where site_id = %s"
        until(lambda: conn.execute(query, [shop]).fetchone() == (events, events), timeout=60)
        assert differences(conn, shop) == {}
    until(lambda: views(stack, shop) == events)
    until(lambda: stack.pids(part) and not set(before) & set(stack.pids(part)))


@pytest.mark.some(2)
@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL", "all killed"])
def test_however_it_ends_it_leaves_nothing_behind_and_loses_nothing(stack: Stack, shop: str, ending: str) -> None:
    for batch in batches(shop, 1_000):
        send(stack.ingestion, batch)
    before = stack.processes()
    if ending == "all killed":
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        stack.stop()
    elif ending == "SIGKILL":
        assert stack.stop(signal.SIGKILL) == -signal.SIGKILL
    else:
        assert stack.stop(signal.Signals[ending]) == 0
        assert stack.processes() == {}
    stack.start()  # where it was killed, while the processes of the first are still stopping
    stack.wait_until_up()
    until(lambda: views(stack, shop) == 1_000)
    until(lambda: not before.keys() & stack.processes().keys())


def test_it_starts_with_an_odd_language_from_any_folder_where_others_cannot_go_and_where_paths_are_long(
    folder: Path, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Modules of the user's that bear our names must not get in the way.
    for name in ("apps", "actors", "db"):
        (folder / f"{name}.py").write_text("raise ImportError('not ours')")
    monkeypatch.chdir(folder)
    locked = folder / "locked"
    locked.mkdir(mode=0o700)
    odd = LIBPQ | {"LANG": "xx_XX.UTF-8", "LC_ALL": "tlh", "TZ": "Asia/Kolkata"}
    stack = Stack(locked / ("long-" * 20) / "o,d 'd\" #%$é\\", **odd)
    stack.wait_until_up()
    assert f"PostgreSQL: embedded, a new, empty database in {stack.data}" in stack.output()
    send(stack.ingestion, [event(shop)])
    until(lambda: views(stack, shop) == 1)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "apps", "psql", "-tAc", "select current_user, inet_server_port() is null"],
        env=clean_environment() | odd | {"DATA_DIR": str(stack.data), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"tjra|t\n"
    assert stack.stop() == 0
    if (stack.data / "postgres").is_symlink():
        shutil.rmtree((stack.data / "postgres").readlink())


def test_given_servers_are_used(folder: Path, servers: Servers, shop: str, database_url: str) -> None:
    stack = Stack(
        folder / "given",
        DATABASE_URL=database_url,
        REDIS_URL=servers.redis_url,
        REDIS_NAMESPACE=f"{servers.namespace}-up",
    )
    stack.wait_until_up()
    assert stack.pids("postgresql") + stack.pids("redis") == []
    send(stack.ingestion, [event(shop)])
    until(lambda: views(stack, shop) == 1)
    assert stack.stop() == 0


def test_it_starts_with_a_queue_that_is_full_and_warns_where_nobody_is_asked_for_a_key(folder: Path, shop: str) -> None:
    stack = Stack(folder / "full", QUEUE_MAX_MEMORY_BYTES="1", AUTH="off")
    stack.wait_until_up()
    assert "WARNING: AUTH=off: anybody may read and change everything, whoever reaches 127.0.0.1" in stack.output()
    answer = stack.ingestion.post("/event", json=event(shop))
    assert answer.status_code == 503
    assert "QUEUE_MAX_MEMORY_BYTES" in answer.json()["detail"]
    assert stack.ingestion.get("/ready").status_code == 503
    assert stack.stop() == 0


def test_a_given_server_that_is_away_is_named(folder: Path) -> None:
    settings = Settings(
        data_dir=folder / "away",
        ingestion_port=0,
        reporting_port=0,
        database_url="postgresql://nobody@127.0.0.1:1/none",
    )
    with pytest.raises(StartFailed, match=r"PostgreSQL did not become ready within .* connection failed"):
        up(settings, workers=1, report=print, answer=0.5)
