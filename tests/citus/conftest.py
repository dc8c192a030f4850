"""Tests on a Citus: that of TEST_CITUS_URL, a coordinator whose nodes can be reached. Without one they are NOT RUN."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg.conninfo import make_conninfo

from tests.citus.cluster import Cluster
from tests.servers.servers import Servers

URL = os.environ.get("TEST_CITUS_URL")
#: The modules that are not run, and why.
NOT_RUN = {
    path.name: "TEST_CITUS_URL names no coordinator"
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    if not URL
}
if URL and not os.environ.get("TEST_CITUS_RESTART"):
    NOT_RUN["test_killed_nodes.py"] = "TEST_CITUS_RESTART is no command that starts nodes again"
collect_ignore = list(NOT_RUN)

MakeDatabase = Callable[..., str]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, reason in NOT_RUN.items():
        terminalreporter.line(f"NOT RUN: tests/citus/{name}, for {reason}", yellow=True)
    for report in terminalreporter.getreports("passed"):
        for what, number in report.user_properties:
            if what.startswith("Citus"):
                terminalreporter.line(f"{what}: {number}")


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The nodes."""
    assert URL
    return Cluster(URL)


@pytest.fixture(scope="module")
def citus_database(cluster: Cluster) -> Iterator[MakeDatabase]:
    """Makes databases on all nodes: `citus_database()` is the address of one. `nodes=False`: no Citus yet."""
    made = []

    def make(*, nodes: bool = True) -> str:
        made.append(f"test_{uuid4().hex[:12]}")
        return cluster.create(made[-1], nodes=nodes)

    yield make
    for name in made:
        cluster.drop(name)


@pytest.fixture(scope="module")
def plain_database(servers: Servers) -> Iterator[str]:
    """A database on the PostgreSQL of the other tests."""
    name = f"test_{uuid4().hex[:12]}"
    servers.administer(f"create database {name} encoding 'UTF8' locale 'C' template template0")
    yield make_conninfo(servers.database_url, dbname=name)
    servers.administer(f"drop database {name} with (force)")
