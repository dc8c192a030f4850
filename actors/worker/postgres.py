"""A worker process's connections to PostgreSQL, and the patience to wait for it."""

import logging
import random
from collections.abc import Callable
from threading import Event
from typing import Any, TypeVar

from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from actors.durable.retries import GiveBack
from actors.metrics import POSTGRESQL_AWAY, TRANSACTION_RETRIES, WORKER
from db.connections.errors import is_of_the_moment, is_of_the_server
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


class Database(Middleware):
    """A pool that is opened when the worker starts and closed when all its work is done.

    The start does not wait for PostgreSQL: events wait in Redis until it is there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stopping = Event()
        self.away = False

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

    def patiently(self, work: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
        """Return `work(conn, ...)`, trying it again for as long as PostgreSQL is away: the message that it is for waits
        in Redis, unacknowledged. `work` is one transaction.

        Raises GiveBack where the worker stops meanwhile, and the errors of `work` that waiting does not help.
        """
        pause = SHORTEST_PAUSE
        while not (self.away and self.stopping.is_set()):
            try:
                with self.pool.connection() as conn:
                    answer = work(conn, *args, **kwargs)
            except Exception as error:
                if not (is_of_the_moment(error) or is_of_the_server(error)):
                    raise
                TRANSACTION_RETRIES.inc()
                if is_of_the_moment(error):
                    continue
                self.away = True
                POSTGRESQL_AWAY.set(1)
                logger.warning("PostgreSQL cannot take events, next try in %.1f s: %s", pause, error)
                self.stopping.wait(pause * random.uniform(0.5, 1))  # noqa: S311 (many workers should not try as one)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self.away = False
                POSTGRESQL_AWAY.set(0)
                return answer
        raise GiveBack("the worker stops while PostgreSQL is away")
