"""Exporting a million events, and the memory of the process that does it."""

import time
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.benchmarks.reports.questions import SITE

MOST = 1_000_000
TYPES = ("application/x-ndjson", "text/csv")


class Exported(NamedTuple):
    """Events, the seconds that they took, and MiB of resident memory before, at most and after."""

    events: int
    seconds: float
    before: float
    highest: float
    after: float


def export(address: str, pid: int, media_type: str, *, first: str, end: str) -> Exported:
    """Read the export of a range, and stop after a million lines. Linux only."""
    before = memory(pid, "VmRSS")
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the highest so far is forgotten
    start, lines = time.perf_counter(), -1 if media_type == "text/csv" else 0  # its header
    parameters = {"site_id": SITE, "from": first, "to": end}
    headers = {"Accept": media_type, "Accept-Encoding": "identity"}
    url = f"{address}/events/export"
    with httpx.stream("GET", url, params=parameters, headers=headers, timeout=600) as answer:
        answer.raise_for_status()
        for part in answer.iter_raw():
            lines += part.count(b"\n")
            if lines >= MOST:
                break
    seconds = time.perf_counter() - start
    time.sleep(1)
    return Exported(lines, seconds, before, memory(pid, "VmHWM"), memory(pid, "VmRSS"))


def memory(pid: int, name: str) -> float:
    """MiB of a process, of the kind that the kernel names so (proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kib,) = (int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
    return kib / 1024
