"""The supervisor: starts child processes, starts again those that die, and stops all in order."""

import logging
import signal
import time
from collections.abc import Callable
from types import FrameType

from apps.up.processes.child_process import ChildProcess

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds before a child that died is started again: the first, doubled each time up to the second.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: Seconds after which a child counts as well again.
WELL = 60.0


class Stopped(Exception):
    """We were asked to stop before all was up."""


class StartFailed(Exception):
    """A child ended, or did not become ready, before all was up; the message says which and what to look at."""


class Refused(Exception):
    """Waiting does not help; the message says why."""


class Supervisor:
    """Runs children in the order in which they were started, and stops them in the opposite one.

    A context: from its start to its end SIGINT, SIGTERM and SIGHUP mean to stop; asked a second time, it kills.
    """

    def __init__(self) -> None:
        self.children: list[ChildProcess] = []
        # No Event: a signal's handler that sets one may find its lock held by the very thread that it runs in.
        self.stop_asked = False

    def __enter__(self) -> "Supervisor":
        self.handlers = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_asked = True
        for child in reversed(self.children):
            logger.debug("stopping %s", child.name)
            child.stop()
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def start(self, child: ChildProcess) -> None:
        """Start a child and look after it from now on."""
        self.children.append(child)
        try:
            child.start()
        except OSError as error:
            raise StartFailed(f"{child.name} cannot be started: {error.strerror}: {error.filename}") from None

    def wait_for(self, what: str, probe: Callable[[], object], *, timeout: float) -> None:
        """Wait until `probe` raises nothing.

        Raises StartFailed after `timeout` seconds, or at once where it raises Refused, and Stopped if we should stop.
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
        """Return once we are asked to stop. Until then start children again that die, more slowly each time."""
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
                    pause = SHORTEST_PAUSE if now - started[child] > WELL else pauses[child]
                    pauses[child] = min(2 * pause, LONGEST_PAUSE)
                    due[child] = now + pause
                    logger.error(
                        "%s ended with code %d%s; it is started again in %.1f s", child.name, code, _see(child), pause
                    )

    def _stops_within(self, seconds: float) -> bool:
        time.sleep(seconds)
        return self.stop_asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stop_asked:
            for child in self.children:
                child.kill()
        self.stop_asked = True


def _see(child: ChildProcess) -> str:
    return f" (see {child.log})" if child.log else ""
