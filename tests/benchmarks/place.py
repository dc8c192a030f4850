"""The place where all sides are measured: one PostgreSQL, one Redis, and each side's programs when it is its turn."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import redis

from actors.queue.access_snapshot import publish
from apps.up.embedded.postgres import EmbeddedPostgres
from apps.up.embedded.redis import EmbeddedRedis
from apps.up.processes.child_process import ChildProcess
from db.access.snapshot import Snapshot
from db.connections.pools import probe
from db.migrations import migrate
from db.settings import load
from tests.conftest import Connection
from tests.servers.servers import eventually, temporary_folder

ROOT = Path(__file__).parent.parent.parent


def free_port() -> int:
    """Of the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


#: Ours alone: with ports that are always the same, two runs at once would share a queue, and empty it for each other.
REDIS_PORT, APP_PORT = free_port(), free_port()
#: A worker process as we recommend it.
WORKER = [sys.executable, "-m", "dramatiq", "actors", "--processes", "1", "--threads", "64"]
#: Where the baseline listens, whatever one would like.
BASELINE_PORT = 3100


class Place:
    """A context with the servers and, if a folder is given, a copy of the baseline that is ready to run.

    database: a PostgreSQL that is there and filled already, instead of an empty one of our own.
    """

    def __init__(self, baseline: Path | None, *, database: str | None = None) -> None:
        self.folder = temporary_folder()
        own = EmbeddedPostgres(self.folder / "postgres")
        self.postgres = None if database else own
        self.database_url = database or own.url
        # Over TCP, since the baseline's client knows nothing else; the same for both.
        self.redis_url = f"redis://127.0.0.1:{REDIS_PORT}/0"
        self.redis = redis.Redis.from_url(self.redis_url)
        os.environ |= {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "WORKER_PORT": "0",
            "AUTH": "off",
        }
        self.baseline = self.folder / "baseline" if baseline else None
        if baseline and self.baseline:
            shutil.copytree(baseline, self.baseline)
            subprocess.run(["npm", "install", "--silent"], cwd=self.baseline, check=True)

    def __enter__(self) -> "Place":
        redis_child = EmbeddedRedis(self.folder / "redis").child(log=self.folder / "redis.log")
        redis_child.command += ["--port", str(REDIS_PORT)]
        self.children = [redis_child]
        if self.postgres:
            self.children.append(self.postgres.child(log=self.folder / "postgres.log"))
        for child in self.children:
            child.start()
        eventually(self.redis.ping)
        eventually(lambda: probe(self.database_url))
        if self.postgres:
            migrate(self.database_url)
        with self.connect() as conn:
            conn.execute("select make_partition(now()), make_partition(now() - interval '1 day')")
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.children:
            child.stop()
        shutil.rmtree(self.folder)

    def connect(self) -> Connection:
        conn = psycopg.connect(self.database_url, autocommit=True)
        conn.execute("set timezone = 'UTC'")
        return conn

    def empty(self) -> None:
        """Forget all that is queued and stored, but that a worker has told that there are neither keys nor rules."""
        self.redis.flushall()
        publish(self.redis, load().redis_namespace, Snapshot(keys=[], sites=[]))
        with self.connect() as conn:
            conn.execute("truncate sites, events, users, event_hours, path_days, user_days")

    @contextmanager
    def running(self, *command: str | Path, cwd: Path = ROOT) -> Iterator[ChildProcess]:
        """A program of some side, for as long as it is measured."""
        child = ChildProcess(
            "side",
            ["env", "-C", cwd, *command],
            log=self.folder / "sides.log",
        )
        child.start()
        try:
            yield child
        finally:
            child.stop()

    @contextmanager
    def served(self, name: str, port: int) -> Iterator[tuple[str, ChildProcess]]:
        """An ASGI app under uvicorn; its address and its process."""
        address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "uvicorn", name, "--port", str(port), "--no-access-log"]
        with self.running(*command, "--log-level", "warning") as child:
            eventually(lambda: httpx.get(f"{address}/health"))
            yield address, child

    @contextmanager
    def app(self, name: str) -> Iterator[str]:
        """An ASGI app under uvicorn; its address."""
        with self.served(name, APP_PORT) as (address, _):
            yield address

    @contextmanager
    def baseline_ingest(self) -> Iterator[str]:
        """The baseline's ingestion; its address."""
        address = f"http://127.0.0.1:{BASELINE_PORT}"
        with self.running("node", "baseline.js", "ingest", cwd=self.baseline or ROOT):
            eventually(lambda: httpx.get(f"{address}/"))
            yield address


def wrk(url: str, *, seconds: int, events: int = 1, connections: int = 64, browsers: int = 0) -> float:
    """Requests a second that a side answers with 2xx, times the events in each; as so many browsers send them."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(Path(__file__).parent / "load.lua"), url]
    given = {"EVENTS": str(events), "BROWSERS": str(browsers)}
    done = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    if refused := [line for line in lines if "Non-2xx" in line or "Socket errors" in line]:
        raise RuntimeError(f"{url}: {refused[0].strip()}")
    (rate,) = (float(line.split()[1]) for line in lines if line.startswith("Requests/sec"))
    return rate * events
