"""A whole system as `tjra up` runs it, in a process of its own, to be killed in parts."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.conftest import Connection
from tests.servers.key import AUTHORIZED
from tests.servers.servers import until

FREE_PORTS = ("--ingestion-port", "0", "--reporting-port", "0", "--worker-port", "0")
#: What tells the processes of a system apart, in their command lines.
PARTS = {
    "supervisor": "apps up",
    "ingestion": "apps.up.serve ingestion",
    "reporting": "apps.up.serve reporting",
    "worker": "dramatiq actors",
    "postgresql": "bin/postgres",
    "redis": "valkey-server",
}

#: What the client library reads, set for another server.
LIBPQ = {
    "PGHOST": "db.example",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "5433",
    "PGUSER": "ann",
    "PGPASSWORD": "secret",
    "PGDATABASE": "nowhere",
    "PGSERVICE": "not-there",
    "PGOPTIONS": "-c search_path=nowhere -c default_transaction_read_only=on",
    "PGSSLMODE": "verify-full",
    "PGCHANNELBINDING": "require",
    "PGREQUIREPEER": "ann",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGTARGETSESSIONATTRS": "standby",
    "PGCLIENTENCODING": "LATIN1",
    "PGDATESTYLE": "German",
    "PGTZ": "Asia/Kolkata",
    "PGDATA": "/nowhere",
}


class Stack:
    """`tjra up` on a data folder, with free ports and no settings of ours but those given."""

    def __init__(self, data: Path, *options: str, **environment: str) -> None:
        self.data = data
        self.options = options
        self.environment = environment
        self.start()

    def start(self) -> None:
        """Start it, again where it has ended."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self.log = self.data.parent / f"{uuid4().hex}.out"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "apps", "up", "--data-dir", str(self.data), *FREE_PORTS, *self.options],
                env=clean_environment() | self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_up(self) -> None:
        def is_up() -> bool:
            if self.process.poll() is not None:
                pytest.fail(self.output())
            return "everything is up" in self.output()

        until(is_up, timeout=60)
        urls = {line.split()[0].rstrip(":"): line.split()[1] for line in self.output().splitlines() if "schema" in line}
        self.ingestion = httpx.Client(base_url=urls["ingestion"], timeout=30)
        self.reporting = httpx.Client(base_url=urls["reporting"], timeout=30, headers=AUTHORIZED)

    def addresses(self) -> dict[str, str]:
        lines = (self.data / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def connect(self) -> Connection:
        return psycopg.connect(self.addresses()["DATABASE_URL"], autocommit=True)

    def pids(self, part: str) -> list[int]:
        """The processes of a part of the system that live."""
        return [pid for pid, command in self.processes().items() if PARTS[part] in command]

    def processes(self) -> dict[int, str]:
        """The command line of each process that has this folder: it holds one of its locks."""
        locks = {str(self.data / name) for name in ("up.lock", "processes.lock")}
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if any(str(descriptor.readlink()) in locks for descriptor in (process / "fd").iterdir()):
                    found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it has ended meanwhile
                continue
        return found

    def kill(self, part: str) -> None:
        for pid in self.pids(part):
            os.kill(pid, signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        for client in (getattr(self, "ingestion", None), getattr(self, "reporting", None)):
            if client:
                client.close()
        return self.process.wait(60)


def clean_environment() -> dict[str, str]:
    """The environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "REDIS_"))}


def send(client: httpx.Client, batch: list[dict[str, Any]], *, timeout: float = 60) -> None:
    """Send a batch as real clients do: again and again, with the same ids, until it is accepted."""

    def accepted() -> bool:
        try:
            return client.post("/events", json=batch).status_code == 202
        except httpx.TransportError:
            return False

    until(accepted, timeout=timeout)
