"""What a process and all that it started cost: seconds of CPU, and memory."""

from collections.abc import Callable
from contextlib import suppress

import psutil

from apps.up.processes.child_process import ChildProcess


class Tree:
    """A child process of ours with its descendants."""

    def __init__(self, child: ChildProcess) -> None:
        assert child.process
        self.root = psutil.Process(child.process.pid)

    def cpu_seconds(self) -> float:
        """Of all that live, and of those that have ended and were waited for."""
        return self._sum(lambda process: sum(process.cpu_times()[:4]))

    def resident(self) -> int:
        """Bytes; what several processes share counts for each of them."""
        return int(self._sum(lambda process: process.memory_info().rss))

    def proportional(self) -> int:
        """Bytes; what several processes share is divided among them (PSS, Linux only)."""
        return int(self._sum(lambda process: process.memory_full_info().pss))

    def _sum(self, value: Callable[[psutil.Process], float]) -> float:
        total = 0.0
        for process in [self.root, *self.root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # it has ended just now
                total += value(process)
        return total
