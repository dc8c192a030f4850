"""`tjra up`: run everything, with embedded or given servers."""

import errno
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from apps.up.data_dir import DataFolder, key_of_folder
from apps.up.embedded.postgres import EmbeddedPostgres
from apps.up.embedded.redis import EmbeddedRedis
from apps.up.processes.child_process import ChildProcess
from apps.up.processes.supervisor import Refused, Supervisor
from db.access.keys import provision
from db.access.scopes import AUTH_IS_OFF
from db.addresses import family_of, in_url
from db.connections.errors import refused
from db.connections.pools import probe
from db.migrations import left_to_do, migrate
from db.settings import Settings

#: Threads per worker process. Each thread waits for the flush of its message, while others fill the next flush.
THREADS = 64
#: Timeouts in seconds: recovery of an embedded server, connection to a given server, start of an app.
RECOVERY, ANSWER, START = 600, 30, 60

#: The address for our own requests if an app listens on all addresses.
REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104

Report = Callable[[str], None]


class NotReady(Exception):
    """An app is not ready; the message says why."""


class PortTaken(Exception):
    """An app cannot listen; the message says why, and which setting chooses another port or address."""


def up(settings: Settings, *, workers: int, report: Report, answer: float = ANSWER, seen: bool = False) -> None:
    """Run the apps, `workers` worker processes, and the servers that are not given, until a stop is requested.

    `report` prints lines for the user, who may see the first key in them if they are `seen` by nobody else: a file or
    journal that they go to must not get it. Given servers have `answer` seconds to respond. Raises PortTaken,
    FolderUnusable, CannotStart, MigrationError, psycopg's errors, StartFailed and Stopped.
    """
    # Imported here, because importing actors reads the settings, which other commands complete first (cli.py).
    from apps.monitoring.metrics import SHARED_FOLDER

    _check_ports(settings)
    with (
        DataFolder(settings.data_dir) as data,
        Supervisor() as supervisor,
        _listen(settings, "ingestion") as ingestion,
        _listen(settings, "reporting") as reporting,
    ):
        data.wait_for_last_run(timeout=60, report=report)
        addresses = _start_servers(settings, data, supervisor, report, answer=answer)
        for what in left_to_do(migrate(addresses["DATABASE_URL"])):
            report(what)
        # For the links between the apps, and for `tjra import`.
        ports = {"INGESTION_PORT": _port(ingestion), "REPORTING_PORT": _port(reporting)}
        data.write_env(addresses | ports)
        first_key = provision(addresses["DATABASE_URL"], settings.admin_key)
        if first_key:
            data.write_admin_key(first_key)
        data.used = True  # from now on events may be accepted
        environment = os.environ | addresses | ports
        environment |= {"LISTEN_HOST": settings.listen_host, "WORKER_PORT": str(settings.worker_port)}
        environment |= {f"{name}_FILE": "" for name in addresses}  # read already
        environment.pop(SHARED_FOLDER, None)  # each process has its own port and metrics
        supervisor.start(_worker(workers, environment, data))
        for name, listening in (("reporting", reporting), ("ingestion", ingestion)):
            supervisor.start(_app(name, listening, environment, data))
        key = settings.admin_key or key_of_folder(data.path)
        for name, listening in (("reporting", reporting), ("ingestion", ingestion)):
            supervisor.wait_for(f"the {name} app", _ready(listening, key), timeout=START)
            report(f"{name}: {_url(listening)} (documentation: {_url(listening)}/schema)")
        if first_key:
            report(_how_to_log_in(_url(reporting), first_key if seen else None, data.admin_key))
        report(f"addresses of PostgreSQL and Redis: {data.path / 'env'}")
        if settings.auth == "off":
            report(f"WARNING: {AUTH_IS_OFF}, whoever reaches {settings.listen_host}; leave AUTH out to ask for keys")
        report("everything is up; Ctrl-C stops it")
        supervisor.watch()
        report("stopping")


def _how_to_log_in(url: str, key: str | None, file: Path) -> str:
    if key is None:
        return f"log in at {url}/login with the key, an admin's, in {file}, which only its owner can read"
    # Behind the #, where no server or proxy sees it.
    return f"log in, this link is shown once: {url}/login#key={key}\nthe same key, an admin's, for programs: {file}"


def _check_ports(settings: Settings) -> None:
    """Raise PortTaken if two settings choose the same port: who came second would only hear that it is in use."""
    chosen: dict[int, str] = {}
    for name in ("ingestion", "reporting", "worker"):
        port: int = getattr(settings, f"{name}_port")
        if port and port in chosen:
            raise PortTaken(
                f"{_options(chosen[port])} and {_options(name)} are both {port}: give each a port of its own "
                "(0: any free one)"
            )
        chosen[port] = name


def _options(name: str) -> str:
    return f"--{name}-port ({name.upper()}_PORT)"


def _listen(settings: Settings, name: str) -> socket.socket:
    port: int = getattr(settings, f"{name}_port")
    try:
        family = family_of(settings.listen_host)
        both = settings.listen_host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server((settings.listen_host, port), family=family, backlog=2048, dualstack_ipv6=both)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            choice = f"--{name}-port or {name.upper()}_PORT chooses another (0: any free one)"
        else:
            choice = "--listen-host or LISTEN_HOST chooses another address"
        reason = str(error.strerror).partition(" (while")[0]  # create_server adds the address
        raise PortTaken(f"cannot listen on {settings.listen_host} port {port}: {reason}; {choice}") from None


def _start_servers(
    settings: Settings, data: DataFolder, supervisor: Supervisor, report: Report, *, answer: float
) -> dict[str, str]:
    """Start the servers that are not given, and wait until all respond; return their addresses as variables."""
    database_url, redis_url = settings.database_url, settings.redis_url
    if database_url is None:
        postgres = EmbeddedPostgres(data.path / "postgres")
        new = "" if postgres.data.exists() else "a new, empty database "
        report(f"PostgreSQL: embedded, {new}in {data.path}")
        supervisor.start(postgres.child(log=data.log("postgres"), keep=[data.keep]))
        database_url = postgres.url
    else:
        report("PostgreSQL: waiting for the server at DATABASE_URL")
    if redis_url is None:
        report(f"Redis: embedded, in {data.path}")
        redis = EmbeddedRedis(data.path / "redis")
        supervisor.start(redis.child(log=data.log("redis"), keep=[data.keep]))
        supervisor.wait_for("Redis", redis.probe, timeout=RECOVERY)
        redis_url = redis.url
    else:
        report("Redis: waiting for the server at REDIS_URL")
        supervisor.wait_for("Redis", partial(_given_redis, redis_url), timeout=answer)
    supervisor.wait_for(
        "PostgreSQL", partial(_postgresql, database_url), timeout=answer if settings.database_url else RECOVERY
    )
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url}


def _postgresql(database_url: str) -> None:
    """Raise OperationalError if it is unavailable, and Refused if it rejects our credentials or database."""
    try:
        probe(database_url)
    except Exception as error:
        if reason := refused(error):
            raise Refused(reason) from None
        raise


def _given_redis(redis_url: str) -> None:
    """Raise Redis' errors if it is unavailable, and Refused if it rejects our credentials or database."""
    from actors.durable import broker

    if reason := broker.refusal(redis_url):
        raise Refused(reason)
    broker.probe(redis_url)


def _worker(processes: int, environment: dict[str, str], data: DataFolder) -> ChildProcess:
    # -P and --path: import our own packages in any working directory.
    command = [sys.executable, "-P", "-m", "dramatiq", "actors", "--path", str(Path(__file__).parent.parent.parent)]
    options = ["--processes", str(processes), "--threads", str(THREADS), "--worker-shutdown-timeout", "20000"]
    options += ["--skip-logging"]  # a worker process configures logging by our settings
    return ChildProcess("worker", [*command, *options], environment=environment, grace=30, keep=[data.keep])


def _app(name: str, listening: socket.socket, environment: dict[str, str], data: DataFolder) -> ChildProcess:
    command = [sys.executable, "-P", "-m", "apps.up.serve", name, str(listening.fileno())]
    return ChildProcess(name, command, environment=environment, grace=15, keep=[data.keep, listening.fileno()])


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{REACHED_AT.get(host) or in_url(host)}:{port}"


def _port(listening: socket.socket) -> str:
    return str(listening.getsockname()[1])


def _ready(listening: socket.socket, key: str | None) -> Callable[[], object]:
    """A probe that raises NotReady while a readiness check fails, except the queue's: the workers have just started."""

    # Reasons are told to those with a key only.
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{_url(listening)}/ready", headers=headers)  # noqa: S310 (our own http)

    def probe() -> None:
        try:
            urllib.request.urlopen(request, timeout=3).close()  # noqa: S310 (our own http)
        except urllib.error.HTTPError as response:
            checks = msgspec.json.decode(response.read())["checks"]
            failed = {
                name: check.get("reason", "not ready") for name, check in checks.items() if check["status"] == "failed"
            }
            failed.pop("queue", None)
            if failed:
                raise NotReady("; ".join(f"{name}: {reason}" for name, reason in failed.items())) from None

    return probe
