"""Periodic messages: sends the maintenance actors on their schedule."""

import logging
import time
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any, NamedTuple

from dramatiq import Actor, Broker, Worker
from dramatiq.errors import BrokerError
from dramatiq.middleware import Middleware

logger = logging.getLogger(__name__)

#: Seconds before a failed send is retried.
RETRY_PAUSE = 10.0


class Period(NamedTuple):
    """How often an actor is sent, and with which arguments."""

    actor: Actor[Any, None]
    seconds: float
    args: tuple[Any, ...] = ()


class Periodic(Middleware):
    """Sends each actor when a worker starts, and then once per period.

    Every worker process does so: the actors have to tolerate running more often than needed.
    """

    def __init__(self, periods: Sequence[Period]) -> None:
        self.periods = periods
        self.stopped = Event()

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.stopped.clear()
        Thread(target=self._run, name="periodic", daemon=True).start()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.stopped.set()

    def _run(self) -> None:
        due = dict.fromkeys(self.periods, time.monotonic())
        while True:
            now = time.monotonic()
            for period in self.periods:
                if due[period] <= now:
                    due[period] = now + (period.seconds if _sent(period) else RETRY_PAUSE)
            if self.stopped.wait(min(due.values()) - now):
                return


def _sent(period: Period) -> bool:
    try:
        period.actor.send(*period.args)
    except BrokerError as error:
        logger.warning("could not send %s: %s", period.actor.actor_name, error)
        return False
    return True
