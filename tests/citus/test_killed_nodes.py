"""Nodes of Citus that are killed under load: nothing is lost or counted twice, and reports say that they have to wait.

The nodes have to run on this machine; TEST_CITUS_RESTART is the command that starts those that do not run.
"""

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.citus.cluster import Cluster
from tests.citus.conftest import MakeDatabase
from tests.servers.key import AUTHORIZED
from tests.servers.servers import eventually, temporary_folder, until
from tests.system.chaos import Chaos, stored

#: Events that are let in between two deaths.
BETWEEN = 4_000
#: Seconds that a node stays away.
AWAY = 3
#: Seconds for all that waited to be stored after that.
SETTLING = 900
ASKED = ("/stats", "/timeseries", "/sessions", "/breakdown?dimension=path", "/journeys?path=/1", "/revenue", "/sites")


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = temporary_folder()
    yield folder
    shutil.rmtree(folder)


class Reader(Thread):
    """Asks for reports all the time; counts the statuses."""

    def __init__(self, chaos: Chaos) -> None:
        super().__init__()
        self.chaos = chaos
        self.enough = Event()
        self.statuses: Counter[int] = Counter()
        self.odd: list[str] = []

    def run(self) -> None:
        address = str(self.chaos.stack.reporting.base_url)
        with httpx.Client(base_url=address, timeout=60, headers=AUTHORIZED) as client:
            while not self.enough.is_set():
                for path in ASKED:
                    parameters = {} if path == "/sites" else {"site_id": self.chaos.sites[0]}
                    answer = client.get(path, params={**parameters, **httpx.QueryParams(path.partition("?")[2])})
                    self.statuses[answer.status_code] += 1
                    if answer.status_code not in (200, 503):
                        self.odd.append(f"{path}: {answer.text}")


def as_uri(address: str) -> str:
    """The address without spaces, as files of settings hold it."""
    parts = conninfo_to_dict(address)
    password = f":{quote(str(parts['password']))}" if "password" in parts else ""
    return f"postgresql://{parts.get('user', 'postgres')}{password}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def kill(cluster: Cluster, node: tuple[str, int]) -> None:
    """Kill a node as a whole: its first process, at whose death the others end."""
    with cluster.connect(cluster.address(node)) as conn:
        child = Path(f"/proc/{conn.info.backend_pid}/status").read_text()
    (parent,) = [int(line.split()[1]) for line in child.splitlines() if line.startswith("PPid:")]
    assert b"postgres" in Path(f"/proc/{parent}/cmdline").read_bytes()
    os.kill(parent, signal.SIGKILL)


def test_whatever_node_is_killed_under_load_everything_accepted_is_stored_once(
    cluster: Cluster, citus_database: MakeDatabase, folder: Path, record_property: Any
) -> None:
    chaos = Chaos(folder / "data", DATABASE_URL=as_uri(citus_database()))
    reader = Reader(chaos)
    try:
        with chaos.load():
            reader.start()
            for node in (*cluster.workers, cluster.coordinator, *cluster.workers):
                goal = chaos.accepted + BETWEEN
                until(lambda goal=goal: chaos.accepted >= goal, timeout=300)  # type: ignore[misc]
                kill(cluster, node)
                time.sleep(AWAY)
                subprocess.run(shlex.split(os.environ["TEST_CITUS_RESTART"]), check=True, stdout=subprocess.DEVNULL)
                eventually(lambda node=node: cluster.connect(cluster.address(node)).close())  # type: ignore[misc]
            until(lambda: chaos.accepted >= goal + BETWEEN, timeout=300)
        reader.enough.set()
        reader.join()
        output = chaos.stack.output()
        assert reader.odd == [], output[output.find("Traceback") :][:20_000]
        assert reader.statuses[200] > 0
        # What waited in the queue takes its time.
        with chaos.stack.connect() as conn:
            until(lambda: stored(conn, chaos.sites) >= chaos.accepted, timeout=SETTLING)
        chaos.check()
        assert "Traceback" not in chaos.stack.output(), output[output.find("Traceback") :][:20_000]
    finally:
        reader.enough.set()
        chaos.stack.stop()
    record_property(
        "Citus: nodes killed under load",
        f"{chaos.accepted:,} events accepted, each stored once; reports answered {dict(reader.statuses)}",
    )
