"""The servers of the tests: embedded ones in a temporary folder, or those of TEST_DATABASE_URL and TEST_REDIS_URL.

TEST_DATABASE_URL may be a coordinator of Citus: the database of the tests is then one of all its nodes.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import psycopg
import redis
from psycopg.conninfo import make_conninfo

from apps.up.embedded.postgres import EmbeddedPostgres
from apps.up.embedded.redis import EmbeddedRedis
from apps.up.processes.child_process import ChildProcess
from db.connections.pools import probe
from tests.citus.cluster import Cluster, is_coordinator

Answer = TypeVar("Answer")
#: No test cuts the power: what is killed here is a process, whose writes the system has. Each connection maps all
#: buffers that it touches. Who waits for each other in a circle is told soon.
QUICK = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB", "deadlock_timeout": "100ms"}


class Servers:
    """One PostgreSQL and one Redis for all tests. Their addresses are known at once, they run after `start`."""

    def __init__(self) -> None:
        self.folder = temporary_folder()
        self.children: list[ChildProcess] = []
        self.given_database = os.environ.get("TEST_DATABASE_URL")
        self.given_redis = os.environ.get("TEST_REDIS_URL")
        self.namespace = f"test-{uuid4().hex[:8]}"
        if self.given_database:
            self.database_url = make_conninfo(self.given_database, dbname=self.namespace.replace("-", "_"))
        else:
            self.postgres = EmbeddedPostgres(self.folder / "postgres")
            self.database_url = self.postgres.url
        if self.given_redis:
            self.redis_url = self.given_redis
        else:
            self.redis = EmbeddedRedis(self.folder / "redis")
            self.redis_url = self.redis.url

    def start(self) -> None:
        if self.given_database:
            name = self.namespace.replace("-", "_")
            if is_coordinator(self.given_database):
                Cluster(self.given_database).create(name)
            else:
                self.administer(f"create database {name} encoding 'UTF8' template template0")
        else:
            child = self.postgres.child(log=self.folder / "postgres.log")
            child.command += [f"--{name}={value}" for name, value in QUICK.items()]
            self._run(child)
        if not self.given_redis:
            self._run(self.redis.child(log=self.folder / "redis.log"))
            eventually(self.redis.probe)
        eventually(lambda: probe(self.database_url))

    def stop(self) -> None:
        if self.given_database:
            name = self.namespace.replace("-", "_")
            if is_coordinator(self.given_database):
                Cluster(self.given_database).drop(name)
            else:
                self.administer(f"drop database {name} with (force)")
        if self.given_redis:
            client = redis.Redis.from_url(self.given_redis)
            for key in client.scan_iter(f"{self.namespace}*"):
                client.delete(key)
            client.close()
        for child in self.children:
            child.stop()
        shutil.rmtree(self.folder)

    def _run(self, child: ChildProcess) -> None:
        self.children.append(child)
        child.start()

    def administer(self, statement: str) -> None:
        """Execute a statement that cannot be in a transaction."""
        with psycopg.connect(self.given_database or self.database_url, autocommit=True) as conn:
            conn.execute(statement.encode())


class Redis:
    """A Redis of the test's own, to be killed, stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedRedis(folder / "redis")
        self.child: ChildProcess = self.server.child(log=folder / "redis.log")

    def start(self) -> None:
        self.child.start()
        eventually(self.server.probe)

    def restart(self) -> None:
        self.child.kill()
        self.start()

    def signal(self, number: signal.Signals) -> None:
        assert self.child.process
        os.kill(self.child.process.pid, number)


def temporary_folder() -> Path:
    """A new folder that another account can pass through, as root's PostgreSQL must."""
    folder = Path(tempfile.mkdtemp(prefix="tjra-"))
    folder.chmod(0o711)
    return folder


def eventually(attempt: Callable[[], Answer], *, timeout: float = 30) -> Answer:
    """What `attempt` returns, once it raises nothing; its last error after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return attempt()
        except Exception:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def until(condition: Callable[[], object], *, timeout: float = 30) -> None:
    """Return once `condition` is true; AssertionError after `timeout` seconds."""

    def attempt() -> None:
        assert condition()

    eventually(attempt, timeout=timeout)


def compile_once(at_the_end: Callable[[Callable[[], None]], object]) -> None:
    """Have the processes that tests start compile our modules once, even where nothing is to be written beside them."""
    if sys.dont_write_bytecode:
        folder = tempfile.mkdtemp(prefix="tjra-compiled-")
        at_the_end(lambda: shutil.rmtree(folder, ignore_errors=True))
        del os.environ["PYTHONDONTWRITEBYTECODE"]
        os.environ["PYTHONPYCACHEPREFIX"] = folder
