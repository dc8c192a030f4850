"""The clock: sends the actors that run by the hour."""

import logging
from threading import Event, Thread

from dramatiq import Actor, Broker, Worker
from dramatiq.errors import BrokerError
from dramatiq.middleware import Middleware

logger = logging.getLogger(__name__)

PAUSE = 3600.0


class Clock(Middleware):
    """Sends each actor when a worker starts and every hour from then on.

    Every worker process does so: such an actor must not mind to run more often than it needs to.
    """

    def __init__(self, *hourly: Actor[[], None]) -> None:
        self.hourly = hourly
        self.stopped = Event()

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.stopped.clear()
        Thread(target=self._tick, name="clock", daemon=True).start()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.stopped.set()

    def _tick(self) -> None:
        while True:
            pause = PAUSE
            for actor in self.hourly:
                try:
                    actor.send()
                except BrokerError as error:
                    logger.warning("could not send %s: %s", actor.actor_name, error)
                    pause = 10.0
            if self.stopped.wait(pause):
                return
