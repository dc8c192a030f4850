"""A worker process's connections to PostgreSQL, and retrying while it is unavailable."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from threading import Event, get_ident
from typing import Any, TypeVar, get_args

from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from actors.durable.retries import Requeue
from actors.metrics import POSTGRESQL_UP, TRANSACTION_RETRIES, WORKER
from actors.queue_names import EVENTS
from db.connections.errors import is_transient, is_unavailable
from db.connections.metrics import PoolMetrics
from db.connections.pools import WAIT, WriteConnection, write_pool
from db.rollups.advance import Rollup
from db.settings import Settings
from db.store.events import Message, Stored
from db.store.whole_or_apart import store

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

#: Threads that store events. While one updates rollups, for which others of the same sites wait, the other inserts.
FLUSHERS = 2
#: Deferred rollups: each is advanced on a connection of its own while it catches up.
ADVANCING = len(get_args(Rollup))
#: One connection for each of these, so that storing never waits for maintenance, one for the keys and sites that
#: ingestion has to know, and two for all other work.
CONNECTIONS = FLUSHERS + ADVANCING + 1 + 2
#: Seconds between attempts while PostgreSQL is unavailable: from the shortest, doubled each time, to the longest.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class PostgresPool(Middleware):
    """The connection pool: opened when the worker starts, closed after its last message.

    The start does not wait for PostgreSQL: events stay in Redis until it is available.
    """

    def __init__(
        self, settings: Settings, *, connection_timeout: float = WAIT, longest_pause: float = LONGEST_PAUSE
    ) -> None:
        self.settings = settings
        self.connection_timeout = connection_timeout
        self.longest_pause = longest_pause
        self.stopping = Event()
        self.unavailable = False
        #: When each thread that stores events began its current attempt, by `time.monotonic`.
        self.attempts: dict[int, float] = {}

    @property
    def oldest_attempt(self) -> float | None:
        """When the oldest running attempt to store events began, by `time.monotonic`; None without one."""
        return min(self.attempts.copy().values(), default=None)

    def store(self, messages: Sequence[Message]) -> Stored:
        """Store messages; waits while PostgreSQL is unavailable. Raises StoreApart and Requeue."""
        return self.retry_until_available(self._attempt, messages)

    def _attempt(self, conn: WriteConnection, messages: Sequence[Message]) -> Stored:
        self.attempts[get_ident()] = time.monotonic()
        try:
            return store(conn, messages, queue=EVENTS)
        finally:
            del self.attempts[get_ident()]

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.stopping.clear()
        self.pool = write_pool(
            self.settings.required("database_url"),
            connections=CONNECTIONS,
            connection_timeout=self.connection_timeout,
        )
        self.pool.open()
        self.metrics = PoolMetrics(self.pool.get_stats)
        WORKER.register(self.metrics)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.stopping.set()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        WORKER.unregister(self.metrics)
        self.pool.close()

    def retry_until_available(self, work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Return `work(conn, ...)`, retried while PostgreSQL is unavailable; its message stays unacknowledged in Redis.

        `work` is one transaction. Raises Requeue if the worker stops meanwhile, and errors of `work` that a retry
        cannot fix.
        """
        pause = SHORTEST_PAUSE
        while not (self.unavailable and self.stopping.is_set()):
            try:
                with self.pool.connection() as conn:
                    result = work(conn, *args, **kwargs)
            except Exception as error:
                if not (is_transient(error) or is_unavailable(error)):
                    raise
                TRANSACTION_RETRIES.inc()
                if is_transient(error):
                    continue
                self.unavailable = True
                POSTGRESQL_UP.set(0)
                logger.warning("PostgreSQL cannot take events, next try in %.1f s: %s", pause, error)
                self.stopping.wait(pause * random.uniform(0.5, 1))  # noqa: S311 (jitter: many workers should not retry at once)
                pause = min(pause * 2, self.longest_pause)
            else:
                self.unavailable = False
                POSTGRESQL_UP.set(1)
                return result
        raise Requeue("the worker stops while PostgreSQL is unavailable")
