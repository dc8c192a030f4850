"""What a process and all that it started cost: seconds of CPU, and memory."""

import psutil

from apps.processes import Child


class Tree:
    """A child process of ours with its descendants."""

    def __init__(self, child: Child) -> None:
        assert child.process
        self.root = psutil.Process(child.process.pid)

    def cpu_seconds(self) -> float:
        """Of all that live, and of those that have ended and were waited for."""
        return sum(sum(process.cpu_times()[:4]) for process in self._all())

    def resident(self) -> int:
        """Bytes; what several processes share counts for each of them."""
        return sum(process.memory_info().rss for process in self._all())

    def proportional(self) -> int:
        """Bytes; what several processes share is divided among them (PSS, Linux only)."""
        return sum(process.memory_full_info().pss for process in self._all())

    def _all(self) -> list[psutil.Process]:
        return [self.root, *self.root.children(recursive=True)]
