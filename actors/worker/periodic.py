"""The clock: sends the actors that run now and then."""

import logging
import time
from collections.abc import Mapping
from threading import Event, Thread

from dramatiq import Actor, Broker, Worker
from dramatiq.errors import BrokerError
from dramatiq.middleware import Middleware

logger = logging.getLogger(__name__)

#: Seconds before an actor is sent that could not be.
RETRY_PAUSE = 10.0


class Periodic(Middleware):
    """Sends each actor when a worker starts and every so many seconds from then on.

    Every worker process does so: such an actor must not mind to run more often than it needs to.
    """

    def __init__(self, periods: Mapping[Actor[[], None], float]) -> None:
        self.periods = periods
        self.stopped = Event()

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.stopped.clear()
        Thread(target=self._tick, name="clock", daemon=True).start()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.stopped.set()

    def _tick(self) -> None:
        due = dict.fromkeys(self.periods, time.monotonic())
        while True:
            now = time.monotonic()
            for actor, period in self.periods.items():
                if due[actor] <= now:
                    due[actor] = now + (period if _sent(actor) else RETRY_PAUSE)
            if self.stopped.wait(min(due.values()) - now):
                return


def _sent(actor: Actor[[], None]) -> bool:
    try:
        actor.send()
    except BrokerError as error:
        logger.warning("could not send %s: %s", actor.actor_name, error)
        return False
    return True
