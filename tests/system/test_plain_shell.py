"""Nothing is needed before it is used: modules are imported, and commands run, where no server is known."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.up.data_dir import DataFolder
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.servers import Servers

ROOT = Path(__file__).parent.parent.parent
#: A server's own module: what it lacks, it says when it is imported.
ENTRIES = {"apps.ingestion"}
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("actors", "apps", "db")
    for path in (ROOT / package).rglob("*.py")
    if path.name != "__main__.py"
)
#: Imports them all in one process, and ends at the first that opens something.
IMPORT_ALL = """
import importlib, sys

def forbid(event, arguments):
    if event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.mkdir", "os.fork"):
        raise RuntimeError(f"{event} {arguments}")

sys.addaudithook(forbid)
for name in sys.argv[1:]:
    print(name, flush=True)
    importlib.import_module(name)
"""


def run(*command: str, folder: Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with nothing in its environment but this."""
    bare = {name: os.environ[name] for name in ("PATH", "PYTHONPYCACHEPREFIX") if name in os.environ}
    bare |= {"PYTHONPATH": str(ROOT), "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=bare | (environment or {}), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_no_module_needs_or_opens_anything_when_it_is_imported(tmp_path: Path) -> None:
    done = run(
        "-c", IMPORT_ALL, *(name for name in MODULES if name not in ENTRIES),
        folder=tmp_path, environment={"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout.splitlines()[-1:], done.stderr)


@pytest.mark.parametrize(
    ("command", "lacks"),
    [
        (["uvicorn", "apps.ingestion:app", "--port", "0"], "REDIS_URL"),
        (["uvicorn", "apps.reporting:app", "--port", "0"], "DATABASE_URL"),
        (["dramatiq", "actors", "--processes", "1"], "REDIS_URL"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1],
)
def test_a_server_says_what_it_lacks(command: list[str], lacks: str, tmp_path: Path) -> None:
    done = run("-m", *command, folder=tmp_path)
    assert done.returncode != 0
    assert f"{lacks} is not set: it should be" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_import_needs_neither_postgresql_nor_redis(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("timestamp,path,event_type\n2026-03-10,/a,page_view\n")
    done = run("-m", "apps", "import", "a.csv", "--site", "shop", "--dry-run", folder=tmp_path)
    assert (done.returncode, "1 good" in done.stderr) == (0, True), done.stderr


def test_a_command_finds_the_servers_of_the_data_folder(servers: Servers, database_url: str, tmp_path: Path) -> None:
    with DataFolder(tmp_path / "it's data") as data:
        data.used = True
        data.write_env({"DATABASE_URL": database_url, "REDIS_URL": servers.redis_url})
    nobody = "postgresql://127.0.0.1:1/nobody"
    for environment, found in (
        ({"DATA_DIR": str(data.path)}, True),
        ({"DATA_DIR": str(data.path), "DATABASE_URL": nobody}, False),
        ({"DATA_DIR": str(data.path), "PG_HOST": "127.0.0.1", "PG_PORT": "1"}, False),
        ({}, False),
    ):
        done = run("-m", "apps", "migrate", folder=tmp_path, environment=environment)
        assert (done.returncode == 0) == found, done.stderr
    assert "DATABASE_URL is not set" in done.stderr


def test_no_actor_is_imported_before_the_addresses_of_the_data_folder_are_known(tmp_path: Path) -> None:
    listed = "import sys, apps.cli; print(*(name for name in sys.modules if name.startswith('actors')))"
    done = run("-c", listed, folder=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_commands_use_both_servers_of_the_data_folder(
    servers: Servers, conn: Connection, database_url: str, shop: str, tmp_path: Path
) -> None:
    with DataFolder(tmp_path / "data") as data:
        data.used = True
        data.write_env({"DATABASE_URL": database_url, "REDIS_URL": servers.redis_url})
    store_events(conn, batch(received(shop, user_id="customer-17")))
    there = {"DATA_DIR": str(data.path), "REDIS_NAMESPACE": servers.namespace}
    of_person = ("customer-17", "--site", shop)

    def tjra(*arguments: str) -> str:
        done = run("-m", "apps", *arguments, folder=tmp_path, environment=there)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert json.loads(tjra("privacy", "export", *of_person).splitlines()[0])["queue_searched_in_full"]
    erased = tjra("privacy", "erase", "--yes", *of_person)
    assert json.loads(erased[erased.index("{") :])["redis_rewritten_at"]
    tjra("dead-letters", "discard", "--site", shop)
    assert "messages of the queue" in tjra("backup", str(tmp_path / "a.tjra"))


def test_dead_letters_are_listed_without_redis(database_url: str, tmp_path: Path) -> None:
    done = run("-m", "apps", "dead-letters", "list", folder=tmp_path, environment={"DATABASE_URL": database_url})
    assert done.returncode == 0, done.stderr
    done = run(
        "-m", "apps", "dead-letters", "replay", "--state", "dead", folder=tmp_path,
        environment={"DATABASE_URL": database_url},
    )  # fmt: skip
    assert "REDIS_URL is not set" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["privacy", "export", "customer-17", "--site", "shop"],
        ["key", "list"],
        ["imports", "--json"],
        ["site", "list"],
        ["dead-letters", "list"],
        ["psql", "-c", "select generate_series(1, 100000)"],
        ["import", "a.csv", "--site", "shop", "--dry-run"],
        ["--help"],
    ],
    ids=lambda command: command[0],
)
def test_whoever_reads_the_output_may_stop(conn: Connection, tmp_path: Path, command: list[str]) -> None:
    store_events(conn, batch(received("shop", user_id="customer-17")))
    (tmp_path / "a.csv").write_text("timestamp,path,event_type\n2026-03-10,/a,page_view\n")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "apps", *command], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)
    assert "Error" not in done.stderr
    assert "Exception" not in done.stderr
    assert "Traceback" not in done.stderr
