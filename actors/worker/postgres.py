"""A worker process's connections to PostgreSQL, and the patience to wait for it."""

import logging
import random
from collections.abc import Callable
from threading import Event
from typing import Any, TypeVar

from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from actors.durable.retries import Requeue
from actors.metrics import POSTGRESQL_UP, TRANSACTION_RETRIES, WORKER
from db.connections.errors import is_transient, is_unavailable
from db.connections.metrics import PoolMetrics
from db.connections.pools import write_pool
from db.settings import Settings

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: Threads that store events. While one is at its rollups, which others of the same sites wait for, the other inserts.
FLUSHERS = 2
#: Actors of upkeep.py that move a rollup on, each with a connection of its own for as long as it has to catch up.
ADVANCING = 5
#: One for each of these, so that those who store never wait for upkeep, and two for whatever else is done.
CONNECTIONS = FLUSHERS + ADVANCING + 2
#: Seconds between tries while PostgreSQL is away: the first, doubled each time up to the second.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class PostgresPool(Middleware):
    """A pool that is opened when the worker starts and closed when all its work is done.

    The start does not wait for PostgreSQL: events wait in Redis until it is there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stopping = Event()
        self.unavailable = False

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
