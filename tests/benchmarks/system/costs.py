"""`python -m tests.benchmarks.system.costs [--events N] [--filled N]`: what events cost, by process and by table.

CPU seconds a million events and memory of each process, while it takes one event a request and while all take batches;
and the bytes that a month of events has on disk. Needs wrk, and Linux for the memory.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx
from rich.console import Console
from rich.table import Table

from tests.benchmarks.drain import QUEUE
from tests.benchmarks.place import APP_PORT, WORKER, Place, wrk
from tests.benchmarks.reports.fill import fill
from tests.benchmarks.system.pace import fields
from tests.benchmarks.system.processes import Tree
from tests.conftest import Connection
from tests.servers.servers import until

SIZES = Path(__file__).with_name("sizes.sql").read_bytes()
BATCH, AHEAD = 500, 50
#: Seconds between looks at the memory, and for which all rests before the load.
PAUSE, REST = 0.2, 5

Trees = dict[str, Tree]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.system.costs", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of single events (default 10)")
    parser.add_argument("--events", type=int, default=500_000, help="in batches (default 500,000)")
    parser.add_argument("--filled", type=int, default=3_000_000, help="events of a month on disk (default 3 million)")
    options = parser.parse_args()
    with Place(None) as place:
        processes(place, options.seconds, options.events)
    with Place(None) as place, place.connect() as conn:
        fill(conn, events=options.filled, days=30)
        on_disk(conn)


def processes(place: Place, seconds: int, events: int) -> None:
    """Print what each process costs."""
    with ExitStack() as stack:
        address, ingestion = stack.enter_context(place.served("apps.ingestion:app", APP_PORT))
        redis, postgres = (Tree(child) for child in place.children)
        trees = {"ingestion": Tree(ingestion), "Redis": redis}
        time.sleep(REST)
        with measured(trees) as singles:
            rate = wrk(f"{address}/event", seconds=seconds)
        place.redis.flushall()
        worker = stack.enter_context(place.running(*WORKER))
        trees = {"ingestion": Tree(ingestion), "worker": Tree(worker), "PostgreSQL": postgres, "Redis": redis}
        send(place, address, BATCH)  # until that is stored, the worker is still starting
        time.sleep(REST)
        with measured(trees) as batches:
            send(place, address, events)
    table = Table("", "CPU s a million, one a request", f"batches of {BATCH}", "MiB at rest", "highest")
    for name, cost in batches.items():
        single = f"{singles[name].cpu / (rate * seconds) * 1e6:.0f}" if name in singles else "-"
        memory = (f"{value / 2**20:.0f}" for value in (cost.at_rest, cost.highest))
        table.add_row(name, single, f"{cost.cpu / events * 1e6:.1f}", *memory)
    table.caption = "one a request: 64 connections, no worker; memory: PSS, with batches"
    Console().print(table)


class Cost:
    """Of a process and its descendants: seconds of CPU, and bytes of memory."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.at_rest = self.highest = tree.proportional()
        self.before = tree.cpu_seconds()
        self.cpu = 0.0

    def look(self) -> None:
        self.highest = max(self.highest, self.tree.proportional())
        self.cpu = self.tree.cpu_seconds() - self.before


@contextmanager
def measured(trees: Trees) -> Iterator[dict[str, Cost]]:
    """What they cost within the context."""
    costs = {name: Cost(tree) for name, tree in trees.items()}
    enough = Event()

    def watch() -> None:
        while not enough.wait(PAUSE):
            for cost in costs.values():
                cost.look()

    thread = Thread(target=watch)
    thread.start()
    try:
        yield costs
    finally:
        enough.set()
        thread.join()
        for cost in costs.values():
            cost.look()


def send(place: Place, address: str, events: int) -> None:
    """Send batches one after the other, at most AHEAD before of the worker; return once all events are stored."""
    with httpx.Client() as client:
        for first in range(0, events, BATCH):
            batch = [fields(first + number) for number in range(BATCH)]
            client.post(f"{address}/events", json=batch).raise_for_status()
            until(lambda: place.redis.hlen(f"{QUEUE}.msgs") <= AHEAD, timeout=600)
    until(lambda: place.redis.hlen(f"{QUEUE}.msgs") == 0, timeout=600)


def on_disk(conn: Connection) -> None:
    """Print what the events of a month have on disk."""
    ((events,),) = conn.execute("select count(*) from events").fetchall()
    table = Table(
        "table or index", "MiB", "bytes an event", title=f"{events:,} events of 30 days", title_justify="left"
    )
    sizes = dict(conn.execute(SIZES).fetchall())
    for name, size in [*sizes.items(), ("all", sum(sizes.values()))]:
        table.add_row(name, f"{size / 2**20:,.1f}", f"{size / events:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
