"""The heartbeat: records in Redis that this worker is alive, and requeues the messages of dead workers."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import redis
from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from actors.durable.broker import HEARTBEAT_TIMEOUT, DurableBroker

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).with_suffix(".lua").read_text()
#: Seconds between heartbeats: three may be missed before a worker counts as dead.
PAUSE = HEARTBEAT_TIMEOUT / 1000 / 4


class Heartbeat(Middleware):
    """A thread of its own, because the stock heartbeat is part of each fetch.

    A worker that holds as many messages as it may does not fetch: the others would consider it dead and run its
    messages again. And an idle worker should not write to Redis many times a second.
    """

    def __init__(self, broker: DurableBroker, *, pause: float = PAUSE) -> None:
        self.broker = broker
        self.pause = pause
        self.stopped = Event()
        #: When the thread was last active, by `time.monotonic`, and whether Redis was unavailable then.
        self.seen = time.monotonic()
        self.unavailable = False

    @property
    def workers_key(self) -> str:
        return f"{self.broker.namespace}:workers"

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.stopped.clear()
        self.broker.stopping = False
        self.seen = time.monotonic()
        self.thread = Thread(target=self._run, name="heartbeat", daemon=True)
        self.thread.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.broker.stopping = True

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.stopped.set()
        self.thread.join()

    def _run(self) -> None:
        self._try(self._beat)
        while not self.stopped.wait(self.pause):
            self._try(self._beat)
        self._try(self._end)

    def _beat(self) -> None:
        self.broker.client.eval(SCRIPT, 1, self.workers_key, self.broker.broker_id, str(self.broker.heartbeat_timeout))
        for queue_name in self.broker.queues | self.broker.delay_queues:
            self.broker.maintain(queue_name)

    def _end(self) -> None:
        self.broker.client.zrem(self.workers_key, self.broker.broker_id)

    def _try(self, command: Callable[[], None]) -> None:
        self.seen = time.monotonic()
        try:
            command()
            self.unavailable = False
        except redis.RedisError as error:
            self.unavailable = True
            logger.warning("no heartbeat: %s", error)
