"""The supervisor: starts child processes, restarts those that exit, and stops all in order."""

import logging
import signal
import time
from collections.abc import Callable
from types import FrameType

from apps.up.processes.child_process import ChildProcess

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds before a restart: the first, doubled each time up to the second.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: Seconds of running after which a child's next restart has the shortest pause again.
STABLE_AFTER = 60.0


class Stopped(Exception):
    """A stop was requested before everything was up."""


class StartFailed(Exception):
    """A child exited or did not become ready during the start; the message says which, and where its log is."""


class Refused(Exception):
    """A server rejects us, so waiting does not help; the message says why."""


class Supervisor:
    """Runs child processes, and stops them in the reverse order of their start.

    A context that handles SIGINT, SIGTERM and SIGHUP: the first one requests a stop, a second one kills the children.
    """

    def __init__(self) -> None:
        self.children: list[ChildProcess] = []
        # Not an Event: a signal handler that sets one may deadlock, because its own thread may hold the Event's lock.
        self.stop_requested = False

    def __enter__(self) -> "Supervisor":
        self.handlers = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_requested = True
        for child in reversed(self.children):
            logger.debug("stopping %s", child.name)
            child.stop()
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def start(self, child: ChildProcess) -> None:
        """Start a child and supervise it."""
        self.children.append(child)
        try:
            child.start()
        except OSError as error:
            raise StartFailed(f"{child.name} cannot be started: {error.strerror}: {error.filename}") from None

    def wait_for(self, what: str, probe: Callable[[], object], *, timeout: float) -> None:
        """Wait until `probe` raises no exception.

        Raises StartFailed after `timeout` seconds, or at once if it raises Refused, and Stopped if a stop is requested.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                probe()
                return
            except Refused as error:
                raise StartFailed(str(error)) from None
            except Exception as error:
                reason = str(error) or type(error).__name__
            for child in self.children:
                if (code := child.exit_code()) is not None:
                    raise StartFailed(f"{child.name} ended with code {code}{_see(child)}")
            if time.monotonic() > deadline:
                raise StartFailed(f"{what} did not become ready within {timeout:.0f} s: {reason}")
            if self._stops_within(0.05):
                raise Stopped

    def watch(self) -> None:
        """Restart children that exit, with exponential backoff, until a stop is requested."""
        pauses = dict.fromkeys(self.children, SHORTEST_PAUSE)
        started = dict.fromkeys(self.children, time.monotonic())
        due: dict[ChildProcess, float] = {}
        while not self._stops_within(0.1):
            now = time.monotonic()
            for child in self.children:
                if child in due:
                    if now >= due[child]:
                        del due[child]
                        child.start()
                        started[child] = now
                elif (code := child.exit_code()) is not None:
                    child.kill()
                    pause = SHORTEST_PAUSE if now - started[child] > STABLE_AFTER else pauses[child]
                    pauses[child] = min(2 * pause, LONGEST_PAUSE)
                    due[child] = now + pause
                    logger.error(
                        "%s ended with code %d%s; restarting it in %.1f s", child.name, code, _see(child), pause
                    )

    def _stops_within(self, seconds: float) -> bool:
        time.sleep(seconds)
        return self.stop_requested

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stop_requested:
            for child in self.children:
                child.kill()
        self.stop_requested = True


def _see(child: ChildProcess) -> str:
    return f" (see {child.log})" if child.log else ""
