"""Workers hand on to ingestion what it has to know of keys, logins and sites: PostgreSQL may then be unavailable."""

import logging
from threading import Event, Thread

from dramatiq import Broker, Worker
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import Middleware

from actors.broker import broker, database
from actors.durable.broker import DurableBroker
from actors.durable.consumer import redis_errors
from actors.queue.access_snapshot import publish
from actors.worker.postgres import PostgresPool
from db.access.snapshot import read_snapshot
from db.connections.errors import is_unavailable

logger = logging.getLogger(__name__)

#: Seconds between two looks at the database. With that of ingestion at Redis (apps/access/snapshots.py) a revoked key
#: is dead there well within the 10 seconds that are promised.
PAUSE = 3.0
#: Seconds to wait for a connection to PostgreSQL, and for the thread at the end of the worker.
CONNECTION_TIMEOUT, END_TIMEOUT = 2.0, 10.0


class AccessPublisher(Middleware):
    """A thread that writes the snapshot whenever Redis has another one, or none.

    Each worker process has one. If one is late and writes an old snapshot, the next look of any of them replaces it.
    """

    def __init__(self, broker: DurableBroker, database: PostgresPool, *, pause: float = PAUSE) -> None:
        self.broker = broker
        self.database = database
        self.pause = pause
        self.stopped = Event()
        self.failing = False

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.stopped.clear()
        self.thread = Thread(target=self._run, name="access", daemon=True)
        self.thread.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.stopped.set()
        self.thread.join(END_TIMEOUT)

    def _run(self) -> None:
        while True:
            try:
                self._publish()
                self.failing = False
            except Exception as error:
                if not self.failing:
                    expected = isinstance(error, ConnectionClosed) or is_unavailable(error)
                    logger.warning("cannot tell ingestion of keys and sites: %s", error, exc_info=not expected)
                self.failing = True
            if self.stopped.wait(self.pause):
                return

    def _publish(self) -> None:
        with redis_errors(), self.database.pool.connection(CONNECTION_TIMEOUT) as conn:
            publish(self.broker.client, self.broker.namespace, read_snapshot(conn))


broker.add_middleware(AccessPublisher(broker, database))
