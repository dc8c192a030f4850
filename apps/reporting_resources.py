"""What the reporting app holds open: PostgreSQL, which it reads, and the queue, which it watches and writes to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, TypeVar

from anyio import Semaphore
from litestar import Request

from actors.broker import broker, redis_url
from actors.queue.producer import Producer
from actors.queue.search import MAX_BYTES
from actors.queue.state import QueueReader
from apps.monitoring.queue_monitor import QueueMonitor
from db.connections.pools import WAIT, ReadConnection, read_pool, refusal_of
from db.settings import Settings

Result = TypeVar("Result")

#: Connections to PostgreSQL: a report takes milliseconds of one.
CONNECTIONS = 8
#: How many long reports may run at once. The other connections are for quick ones, which never wait for long ones.
LONG = 5
#: How many exports may run at once: each keeps a connection for as long as its client takes to read.
EXPORTS = 2
#: Seconds that a request waits for the workers to do what it has put into the queue, and between looks.
WORKER_TIMEOUT, WORKER_PAUSE = 5.0, 0.05
#: Seconds in which a lent connection shows that the server had just ended it; then another one is tried. A connection
#: that ends later may have been ended on purpose.
FIRST_MOMENT = 1.0
TRIES = 3


class ReportingResources:
    """The connections of one reporting app, and the limits on what may run at once."""

    def __init__(
        self,
        settings: Settings,
        *,
        connection_timeout: float = WAIT,
        worker_timeout: float = WORKER_TIMEOUT,
        max_searched: int = MAX_BYTES,
    ) -> None:
        self.settings = settings
        self.connection_timeout = connection_timeout
        self.worker_timeout = worker_timeout
        #: Bytes of the queue that a request searches at most.
        self.max_searched = max_searched
        self.pool = read_pool(
            settings.address("database_url"), connections=CONNECTIONS, connection_timeout=connection_timeout
        )
        self.queue_monitor = QueueMonitor(QueueReader(broker, redis_url), settings)
        self.producer = Producer(broker, redis_url)
        self.long_reports = Semaphore(LONG)
        self.exports = asyncio.Semaphore(EXPORTS)

    async def read(self, work: Callable[[ReadConnection], Awaitable[Result]]) -> Result:
        """Return what `work` reads on a connection; try another connection if the server has just ended this one."""
        for left in reversed(range(TRIES)):
            conn = None
            try:
                async with self.pool.connection() as conn:
                    since = monotonic()
                    return await work(conn)
            except Exception:
                if conn is None or not conn.broken or monotonic() - since > FIRST_MOMENT or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def wait_for_worker(self, look: Callable[[], Awaitable[Result]], done: Callable[[Result], bool]) -> Result:
        """Look again and again until the worker is done, and return what was seen last, after a timeout as well."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.worker_timeout
        while True:
            seen = await look()
            if done(seen) or loop.time() > deadline:
                return seen
            await asyncio.sleep(WORKER_PAUSE)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Hold the connections open."""
        await self.pool.open()
        async with self.queue_monitor.watching():
            yield
        await self.producer.close()
        await self.pool.close()

    def refusal(self) -> str | None:
        """Why PostgreSQL refuses us; None if it does not, or is not up yet."""
        return refusal_of(self.settings.required("database_url"))


def resources_of(request: Request[Any, Any, Any]) -> ReportingResources:
    """The resources of the app that handles this request."""
    found: ReportingResources = request.app.state.resources
    return found
