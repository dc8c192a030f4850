"""What a worker process does for itself when it starts."""

import ctypes
import os
import signal
import sys

from dramatiq import Broker
from dramatiq.middleware import Middleware

from db.logs import configure
from db.settings import Settings

PR_SET_PDEATHSIG = 1


class StopWithParent(Middleware):
    """A worker process stops when the dramatiq command that started it is killed, instead of working on unseen.

    Linux only (prctl(2), PR_SET_PDEATHSIG); elsewhere such a process has to be stopped by hand.
    """

    def after_process_boot(self, broker: Broker) -> None:
        parent = os.getppid()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died before the call
                os.kill(os.getpid(), signal.SIGTERM)


class Configured(Middleware):
    """A worker process has the addresses that it needs, and logs as the settings say, not as dramatiq would."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def after_process_boot(self, broker: Broker) -> None:
        for name in ("redis_url", "database_url"):
            self.settings.required(name)
        configure(self.settings, anew=True)
