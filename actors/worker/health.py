"""The HTTP port of a worker process, for monitoring: GET /health and GET /metrics."""

import errno
import logging
import time
from collections.abc import Iterator
from http import HTTPStatus
from io import BytesIO
from threading import Thread
from typing import Literal

import msgspec
from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware
from prometheus_client import MetricsHandler

from actors.durable.broker import DurableBroker
from actors.durable.heartbeat import Heartbeat
from actors.metrics import WORKER
from actors.worker.flusher import Flusher
from actors.worker.http_server import LimitedHandler, LimitedServer
from db.addresses import family_of, in_url
from db.settings import Settings

logger = logging.getLogger(__name__)

#: Number of ports to try, starting at WORKER_PORT: each worker process of a machine takes one.
PORTS = 64
#: Seconds without activity after which a polling thread is stuck. While Redis is unavailable, it pauses for about 10.
MAX_IDLE = 60.0
#: Seconds after which an attempt to write a flush is stuck. It takes one or two; a lost server is noticed within 30.
MAX_ATTEMPT = 300.0


class Health(msgspec.Struct):
    """Whether the worker should be restarted.

    Not because a server is unavailable: the worker continues by itself once the server is back.
    """

    status: Literal["ok", "stuck"]
    stuck: list[str]
    waiting_for: list[str]


class WorkerPort(Middleware):
    """Listens from the start of the worker to its end, on the first free port from WORKER_PORT on."""

    def __init__(
        self,
        settings: Settings,
        broker: DurableBroker,
        flusher: Flusher,
        heartbeat: Heartbeat,
        *,
        max_idle: float = MAX_IDLE,
        max_attempt: float = MAX_ATTEMPT,
        ports: int = PORTS,
    ) -> None:
        self.max_idle = max_idle
        self.max_attempt = max_attempt
        self.ports = ports
        self.settings = settings
        self.broker = broker
        self.flusher = flusher
        self.heartbeat = heartbeat
        self.server: Server | None = None

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.worker = worker
        self.booted = time.monotonic()
        try:
            self.server = listen(self.settings.listen_host, self.settings.worker_port, self, ports=self.ports)
        except OSError as error:  # work without monitoring rather than not at all
            setting = "port: WORKER_PORT" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "address: LISTEN_HOST"
            logger.error("cannot serve health and metrics: %s; to choose another %s", error, setting)
            return
        Thread(target=self.server.serve_forever, name="port", daemon=True).start()
        host, port = self.server.server_address[:2]
        logger.info("health and metrics of this worker: http://%s:%d", in_url(str(host)), port)

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def health(self) -> Health:
        """The worker's state now. During shutdown it is healthy: threads that have ended are expected."""
        stuck = [] if self.broker.stopping else list(self._stuck())
        unavailable = {"PostgreSQL": self.flusher.database.unavailable, "Redis": self.heartbeat.unavailable}
        return Health(
            status="stuck" if stuck else "ok",
            stuck=stuck,
            waiting_for=[name for name, is_down in unavailable.items() if is_down],
        )

    def _stuck(self) -> Iterator[str]:
        now = time.monotonic()
        idle = {"the heartbeat": now - self.heartbeat.seen}
        for queue_name, consumer in self.worker.consumers.items():
            if not consumer.is_alive():
                yield f"the consumer of {queue_name} has ended"
            else:
                idle[f"the consumer of {queue_name}"] = now - self.broker.seen.get(queue_name, self.booted)
        for name, seconds in idle.items():
            if seconds > self.max_idle:
                yield f"{name} was last at work {seconds:.0f} s ago"
        if ended := sum(not thread.is_alive() for thread in self.worker.workers):
            yield f"{ended} of {len(self.worker.workers)} threads for messages have ended"
        if ended := sum(not thread.is_alive() for thread in self.flusher.threads):
            yield f"{ended} of {len(self.flusher.threads)} flushers have ended"
        since = self.flusher.database.oldest_attempt
        if since is not None and now - since > self.max_attempt:
            yield f"a flusher has been writing for {now - since:.0f} s"


class Server(LimitedServer):
    """The port of one worker process."""

    def __init__(self, address: tuple[str, int], port: WorkerPort) -> None:
        self.port = port
        self.address_family = family_of(address[0])
        super().__init__(address, Handler)


class Handler(LimitedHandler, MetricsHandler):
    """One request."""

    registry = WORKER
    server: Server
    #: Seconds until a stalled client is disconnected.
    timeout = 10

    def do_HEAD(self) -> None:  # noqa: N802 (http.server's name)
        """As GET, without the body."""
        self.do_GET()

    def end_headers(self) -> None:
        super().end_headers()
        if self.command == "HEAD":
            self.wfile = BytesIO()  # discard the body

    def do_GET(self) -> None:  # noqa: N802
        match self.path.partition("?")[0]:
            case "/metrics":
                super().do_GET()
            case "/health":
                health = self.server.port.health()
                status = HTTPStatus.OK if health.status == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
                body = msgspec.json.encode(health)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            case _:
                self.send_error(HTTPStatus.NOT_FOUND)


def listen(host: str, first: int, port: WorkerPort, *, ports: int = PORTS) -> Server:
    """A server on the first free port from `first` on (0: any free port). Raises OSError if there is none."""
    for number in range(first, min(first + ports, 65536)) if first else [0]:
        try:
            return Server((host, number), port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, f"{ports} ports from {first} on are in use")
