"""A worker process's connections to PostgreSQL."""

from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from actors.metrics import WORKER
from db.pool_metrics import PoolMetrics
from db.pools import write_pool
from db.settings import Settings

#: One for the flusher and one for whatever else an actor does meanwhile.
CONNECTIONS = 2


class Database(Middleware):
    """A pool that is opened when the worker starts and closed when all its work is done.

    The start does not wait for PostgreSQL: events wait in Redis until it is there.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.pool = write_pool(self.settings.required("database_url"), connections=CONNECTIONS)
        self.pool.open()
        self.metrics = PoolMetrics(self.pool.get_stats)
        WORKER.register(self.metrics)

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        WORKER.unregister(self.metrics)
        self.pool.close()
