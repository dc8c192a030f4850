"""Child processes that cannot outlive this process."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


class ChildProcess:
    """A program in its own process group, so that Ctrl-C reaches only this process.

    It gets `stop_signal` to stop, also from the kernel if this process is killed (prctl(2), Linux only), and is killed
    with its group if it does not stop within `grace` seconds. It runs as `account` (user and group id), if given,
    inherits the file descriptors `keep`, and writes to `log`, otherwise to our stdout and stderr.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 30,
        keep: Sequence[int] = (),
        account: tuple[int, int] | None = None,
        log: Path | None = None,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.environment = environment
        self.stop_signal = stop_signal
        self.grace = grace
        self.keep = keep
        self.account = account
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program. Call it from the main thread: PR_SET_PDEATHSIG refers to the thread that starts it."""
        output = self.log.open("ab") if self.log else None
        if output:
            os.fchmod(output.fileno(), 0o600)  # errors of PostgreSQL quote values
        try:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=self.keep,
                preexec_fn=_die_with_parent(self.stop_signal),
                **(as_account(self.account) if self.account else {}),
            )
        finally:
            if output:
                output.close()

    def exit_code(self) -> int | None:
        """Its exit code (negative: killed by this signal), or None while it runs."""
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        """Request a stop, wait for its end, then kill what is left of its group."""
        self.request_stop()
        self.wait()

    def request_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def wait(self) -> None:
        """Wait for its end, `grace` seconds at most; then kill what is left of its group."""
        if not self.process:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.grace)
        self.kill()

    def kill(self) -> None:
        """Kill it and its group."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def as_account(account: tuple[int, int]) -> dict[str, Any]:
    """Arguments of Popen to run a program as another account, in a folder that it can enter."""
    user, group = account
    return {"user": user, "group": group, "extra_groups": [], "cwd": "/"}


def _die_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return in_child
