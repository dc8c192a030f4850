"""What a worker process does when it starts: follow its parent, check its servers, set up logging."""

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
    """Stops the worker process when the dramatiq command that started it is killed, instead of leaving an orphan.

    Linux only (prctl(2), PR_SET_PDEATHSIG); on other systems the process has to be stopped by hand.
    """

    def after_process_boot(self, broker: Broker) -> None:
        parent = os.getppid()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died before the call
                os.kill(os.getpid(), signal.SIGTERM)


class CheckedStart(Middleware):
    """Ends the worker process if the address of a server is not set, or the server refuses the settings.

    Raises SystemExit, so that its text is the last line: dramatiq only logs other exceptions of middleware.
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
    """Configures logging from the settings, instead of the dramatiq command's own configuration."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def after_process_boot(self, broker: Broker) -> None:
        configure(self.settings, force=True)
