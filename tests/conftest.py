"""What all tests share: the servers, both apps, a worker, and the cast: `shop` is ours, `other` must see nothing."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from litestar.testing import TestClient

from db.access.keys import provision
from db.migrations import migrate
from db.settings import Settings, load
from tests.checks.lanes import mark
from tests.checks.thorough import leave_out
from tests.servers.databases import databases, is_as_new, is_idle
from tests.servers.key import ADMIN_KEY, AUTHORIZED
from tests.servers.servers import Redis, Servers, compile_once, temporary_folder
from tests.servers.serving import Addressed, Served, serve

if TYPE_CHECKING:
    from actors.durable.broker import DurableBroker
    from apps.ingestion import IngestionApp
    from apps.reporting import ReportingApp
    from apps.sdks.shared.resources import SdkResources
    from tests.servers.watched_queue import WatchedQueue

Connection = psycopg.Connection[Any]
MakeBroker = Callable[..., "DurableBroker"]


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the others have it from this one
        compile_once(config.add_cleanup)
    # The apps and actors read their settings when they are imported, which is before any fixture runs.
    servers = Servers()
    config.stash[SERVERS] = servers
    for name in os.environ.keys() & OURS:
        del os.environ[name]
    os.environ |= {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "REDIS_NAMESPACE": servers.namespace,
        "WORKER_PORT": "0",
        "ADMIN_KEY": ADMIN_KEY,
        # One key asks for all reports of the tests; those of the limit have a limit of their own.
        "REPORTS_PER_MINUTE": "0",
    }


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    mark(items)
    leave_out(config, items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for what, told in report.user_properties:
            if what == "NOT RUN":
                terminalreporter.line(f"NOT RUN: {told}", yellow=True)


SERVERS = pytest.StashKey[Servers]()
#: What the environment may hold for a running installation must not reach the tests.
OURS = {name.upper() for name in Settings.__struct_fields__} | {"PROMETHEUS_MULTIPROC_DIR"}


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """PostgreSQL and Redis, empty, but for the admin's key, which ingestion knows as from a worker."""
    servers = pytestconfig.stash[SERVERS]
    try:
        servers.start()
        from actors.broker import broker
        from tests.servers.access import tell

        tell(broker.client, broker.namespace)
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="session")
def database_url(servers: Servers) -> str:
    """A migrated database with the admin's key."""
    migrate(servers.database_url)
    provision(servers.database_url, ADMIN_KEY)
    return servers.database_url


@pytest.fixture
def empty_database(servers: Servers) -> Iterator[Callable[..., str]]:
    """Makes a database that nobody else uses: `empty_database(encoding="LATIN1")` is its address."""
    with databases(servers.database_url) as make:
        yield make


@pytest.fixture(scope="session")
def kept_connections() -> Iterator[list[Connection]]:
    """The connection of `conn`, once there is one."""
    kept: list[Connection] = []
    yield kept
    for connection in kept:
        connection.close()


@pytest.fixture
def conn(database_url: str, kept_connections: list[Connection]) -> Iterator[Connection]:
    """A connection to that database; every statement is a transaction.

    It is that of the test before, as in a pool, unless that lost it or left a transaction: a new one would have to
    compile our functions again.
    """
    if not (kept_connections and is_as_new(kept_connections[0])):
        for connection in kept_connections:
            connection.close()
        kept_connections[:] = [psycopg.connect(database_url, autocommit=True)]
    conn = kept_connections[0]
    yield conn
    if not is_idle(conn):
        conn.close()


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A Redis of the test's own."""
    folder = temporary_folder()
    redis = Redis(folder)
    redis.start()
    yield redis
    redis.child.kill()
    shutil.rmtree(folder)


@pytest.fixture
def dramatiq_hurries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dramatiq waits a moment after an error of a broker, not seconds: only these globals of its own say how long."""
    monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.1)
    monkeypatch.setattr("dramatiq.worker.POST_PROCESS_MESSAGE_RETRY_DELAY_SECS", 0.1)


@pytest.fixture
def make_broker(redis: Redis, dramatiq_hurries: None) -> Iterator[MakeBroker]:
    """Makes brokers whose timeouts are short enough for a test. Afterwards their connections are closed."""
    from tests.servers.queue import impatient_brokers

    with impatient_brokers(redis.server.url) as make:
        yield make


@pytest.fixture(scope="module")
def worker(database_url: str) -> Iterator["DurableBroker"]:
    """A worker that stores what is queued; where a module does not ask for it, it stays there. Its broker."""
    from tests.servers.queue import running_worker

    with running_worker() as broker:
        yield broker


@pytest.fixture(scope="session")
def ingestion_app(servers: Servers) -> "IngestionApp":
    """An ingestion app for all tests."""
    from apps.ingestion import create_app

    return create_app(load())


@pytest.fixture(scope="session")
def sdk_resources(ingestion_app: "IngestionApp") -> "SdkResources":
    """What that app uses."""
    return ingestion_app.resources


@pytest.fixture(scope="session")
def ingestion(ingestion_app: "IngestionApp") -> Iterator[httpx.Client]:
    """A client of that app."""
    with TestClient(ingestion_app) as client:
        yield client


@pytest.fixture(scope="session")
def reporting_app(database_url: str) -> "ReportingApp":
    """A reporting app for all tests."""
    from apps.reporting import create_app

    return create_app(load())


@pytest.fixture(scope="session")
def reporting(reporting_app: "ReportingApp") -> Iterator[httpx.Client]:
    """A client of that app, with the admin's key."""
    with TestClient(Addressed(reporting_app)) as client:
        client.headers.update(AUTHORIZED)
        yield client


@pytest.fixture(scope="module")
def ingestion_server(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The ingestion app on a socket of its own; it waits a second for a body."""
    with serve("ingestion", tmp_path_factory.mktemp("ingestion"), body_timeout=1) as served:
        yield served
        assert "Traceback" not in served.log()


@pytest.fixture(scope="module")
def reporting_server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The reporting app on a socket of its own."""
    with serve("reporting", tmp_path_factory.mktemp("reporting")) as served:
        yield served
        assert "Traceback" not in served.log()


@pytest.fixture
def queue(
    redis: Redis,
    ingestion: httpx.Client,
    reporting: httpx.Client,
    sdk_resources: "SdkResources",
    reporting_app: "ReportingApp",
) -> Iterator["WatchedQueue"]:
    """A queue of the test's own, which both apps use and watch."""
    from tests.servers.watched_queue import watched_queue

    with watched_queue(redis, ingestion, reporting, sdk_resources.events, reporting_app.resources) as queue:
        yield queue


@pytest.fixture
def shop() -> str:
    """Our site, new in each test."""
    return f"shop-{uuid4().hex[:12]}"


@pytest.fixture
def other() -> str:
    """Somebody else's site."""
    return f"other-{uuid4().hex[:12]}"


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
