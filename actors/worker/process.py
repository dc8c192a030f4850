"""What a worker process does for itself when it starts."""

import ctypes
import os
import signal
import sys

from dramatiq import Broker
from dramatiq.middleware import Middleware

from actors.durable.broker import refusal
from db.connections.pools import refusal_of
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


class CheckedStart(Middleware):
    """A worker process ends at once where it has no address of a server, or that server refuses what the settings say.

    By SystemExit, whose text is the last line: other exceptions of middleware are logged and forgotten.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def after_process_boot(self, broker: Broker) -> None:
        for reason in (
            refusal(self.settings.required("redis_url")),
            refusal_of(self.settings.required("database_url")),
        ):
            if reason:
                raise SystemExit(reason)


class Logs(Middleware):
    """A worker process logs as the settings say, instead of as the dramatiq command has set it up."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def after_process_boot(self, broker: Broker) -> None:
        configure(self.settings, anew=True)
