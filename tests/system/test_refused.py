"""A server that refuses what the settings say, or is away: each program says so in a line, at once or after waiting."""

import asyncio
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis as client
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from actors.durable.broker import DurableBroker, refusal
from actors.queue.state import QueueReader, QueueState
from apps.cli import main
from db.connections.errors import refused
from tests.servers.servers import Redis, Servers

PROGRAMS = {
    "ingestion": ["uvicorn", "apps.ingestion:app", "--port", "0"],
    "reporting": ["uvicorn", "apps.reporting:app", "--port", "0"],
    "worker": ["dramatiq", "actors", "--processes", "1", "--threads", "1", "--skip-logging"],
    "up": ["apps", "up", "--ingestion-port", "0", "--reporting-port", "0"],
}
COMMANDS = [
    ["verify"],
    ["rebuild", "--all-sites"],
    ["retention", "--days", "400"],
    ["timezone", "--site", "shop"],
    ["delete", "--site", "shop"],
    ["dead-letters", "list"],
    ["migrate"],
    ["backup", "file"],
    ["psql"],
]


@pytest.fixture
def guarded(redis: Redis) -> str:
    """The address of a Redis with a password, `secret`, and a user who may do nothing but ping."""
    with client.Redis.from_url(redis.server.url) as conn:
        conn.acl_setuser("bob", enabled=True, passwords=["+bob"], categories=["+@all"], commands=["-info"], keys=["*"])
        conn.config_set("requirepass", "secret")
        conn.acl_setuser("ann", enabled=True, passwords=["+ann"], commands=["+ping"], keys=["*"])
    return redis.server.url


def started(program: str, folder: Path, environment: dict[str, str]) -> tuple[str, float]:
    """What a program says that does not start, and after how many seconds."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-P", "-m", *PROGRAMS[program]],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr, time.monotonic() - begun


def test_every_program_ends_at_once_and_says_why(servers: Servers, guarded: str, tmp_path: Path) -> None:
    postgresql = {"DATABASE_URL": make_conninfo(servers.database_url, dbname="nowhere")}
    redis = {"REDIS_URL": guarded}
    cases = [(program, postgresql, "PostgreSQL refuses what") for program in PROGRAMS if program != "ingestion"]
    cases += [(program, redis, "Redis refuses what") for program in PROGRAMS if program != "reporting"]
    with ThreadPoolExecutor(2) as threads:
        for said, seconds, reason in threads.map(lambda case: (*started(case[0], tmp_path, case[1]), case[2]), cases):
            assert said.count(reason) == 1, said
            assert seconds < 20  # less than any program waits for a server that is not up yet


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("fault", ["away", "refused"])
def test_every_command_says_in_a_line_that_it_cannot_use_the_database(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str], fault: str
) -> None:
    away = "postgresql://ann:secret@127.0.0.1:1/shop"
    url = away if fault == "away" else make_conninfo(servers.database_url, dbname="nowhere", password="secret")
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 1, done.exception
    assert done.output.startswith("Error: ")
    assert done.output.count("\n") == 1
    assert "secret" not in done.output


@pytest.mark.parametrize(
    "command", [["verify"], ["rebuild", "--all-sites"], ["timezone", "--site", "shop"]], ids=" ".join
)
def test_a_database_without_tables_is_called_that(
    database_url: str, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", make_conninfo(database_url, options="-csearch_path=nowhere"))
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, done.output.count("\n")) == (1, 1), done.output
    assert "`tjra migrate`" in done.output


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ('FATAL:  password authentication failed for user "ann"', True),
        ('FATAL:  Peer authentication failed for user "ann"', True),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ann", database "shop", no encryption', True),
        ('FATAL:  database "shop" does not exist', True),
        ('FATAL:  role "ann" does not exist', True),
        ('FATAL:  role "ann" is not permitted to log in', True),
        ("fe_sendauth: no password supplied", True),
        ("FATAL:  no such database: shop", True),
        ("FATAL:  the database system is starting up", False),
        ("FATAL:  sorry, too many clients already", False),
        ("Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?", False),
        ("timeout expired", False),
        ("server closed the connection unexpectedly", False),
    ],
)
def test_a_refusal_is_told_from_a_server_that_is_not_up_yet(told: str, expected: bool) -> None:
    text = f'connection failed: connection to server at "127.0.0.1", port 5432 failed: {told}'
    assert (refused(psycopg.OperationalError(text)) is not None) is expected
    assert refused(psycopg.DataError(text)) is None


def test_redis_refuses_by_password_by_right_and_by_number(guarded: str, redis: Redis) -> None:
    def asked(user: str = "", number: int = 0) -> str | None:
        return refusal(redis.server.url.replace("unix://", f"unix://{user}").replace("db=0", f"db={number}"))

    assert "requires a password" in (asked() or "")
    assert "username-password pair" in (asked("default:wrong@") or "")
    assert "no permissions" in (asked("ann:ann@") or "")
    assert "no such database" in (asked("default:secret@", 99) or "")
    assert asked("default:secret@") is None
    assert asked("bob:bob@") is None
    redis.child.kill()
    assert asked() is None  # away, which is another thing


def test_a_redis_that_does_not_tell_of_itself_is_none_that_is_away(guarded: str) -> None:
    url = guarded.replace("unix://", "unix://bob:bob@")

    async def read() -> QueueState:
        reader = QueueReader(DurableBroker(url, namespace="test", middleware=[]), url)
        try:
            return await reader.read()
        finally:
            await reader.close()

    state = asyncio.run(read())
    assert (state.waiting, state.append_only, state.memory_limit) == (0, None, None)
