"""A worker process's connections to PostgreSQL: what is stored waits for as long as it is unavailable."""

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
from db.connections.pools import WriteConnection, write_pool
from db.rollups.advance import Rollup
from db.settings import Settings
from db.store.events import Message, Stored
from db.store.whole_or_apart import store

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: Threads that store events. While one is at its rollups, which others of the same sites wait for, the other inserts.
FLUSHERS = 2
#: Deferred rollups: each is advanced on a connection of its own for as long as it has to catch up.
ADVANCING = len(get_args(Rollup))
#: One for each of these, so that those who store never wait for maintenance, and two for whatever else is done.
CONNECTIONS = FLUSHERS + ADVANCING + 2
#: Seconds between attempts while PostgreSQL is unavailable: the first, doubled each time up to the second.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class PostgresPool(Middleware):
    """A pool that is opened when the worker starts and closed when all its work is done.

    The start does not wait for PostgreSQL: events wait in Redis until it is there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stopping = Event()
        self.unavailable = False
        #: When each thread that stores events began its present attempt, by `time.monotonic`.
        self.attempts: dict[int, float] = {}

    @property
    def oldest_attempt(self) -> float | None:
        """When the oldest attempt to store events began that is under way, by `time.monotonic`; None without one."""
        return min(self.attempts.copy().values(), default=None)

    def store(self, messages: Sequence[Message]) -> Stored:
        """Store messages; waits for as long as PostgreSQL is unavailable. Raises StoreApart and Requeue."""
        return self.retry_until_available(self._attempt, messages)

    def _attempt(self, conn: WriteConnection, messages: Sequence[Message]) -> Stored:
        self.attempts[get_ident()] = time.monotonic()
        try:
            return store(conn, messages, queue=EVENTS)
        finally:
            del self.attempts[get_ident()]

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.stopping.clear()
        self.pool = write_pool(self.settings.required("database_url"), connections=CONNECTIONS)
        self.pool.open()
        self.metrics = PoolMetrics(self.pool.get_stats)
        WORKER.register(self.metrics)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.stopping.set()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        WORKER.unregister(self.metrics)
        self.pool.close()

    def retry_until_available(self, work: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
        """Return `work(conn, ...)`, trying it again for as long as PostgreSQL is unavailable: the message that it is
        for waits in Redis, unacknowledged. `work` is one transaction.

        Raises Requeue where the worker stops meanwhile, and the errors of `work` that waiting does not help.
        """
        pause = SHORTEST_PAUSE
        while not (self.unavailable and self.stopping.is_set()):
            try:
                with self.pool.connection() as conn:
                    answer = work(conn, *args, **kwargs)
            except Exception as error:
                if not (is_transient(error) or is_unavailable(error)):
                    raise
                TRANSACTION_RETRIES.inc()
                if is_transient(error):
                    continue
                self.unavailable = True
                POSTGRESQL_UP.set(0)
                logger.warning("PostgreSQL cannot take events, next try in %.1f s: %s", pause, error)
                self.stopping.wait(pause * random.uniform(0.5, 1))  # noqa: S311 (many workers should not try as one)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self.unavailable = False
                POSTGRESQL_UP.set(1)
                return answer
        raise Requeue("the worker stops while PostgreSQL is unavailable")
