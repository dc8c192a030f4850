"""`python -m tests.benchmarks.reports.under_load`: reports for several clients while events are ingested; then exports.

Linux only.
"""

import argparse
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from statistics import median
from threading import Event, Thread
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table

from tests.benchmarks.place import APP_PORT, WORKER, Place
from tests.benchmarks.reports.export import TYPES, export
from tests.benchmarks.reports.fill import LAST_DAY, fill
from tests.benchmarks.reports.measure import milliseconds, percentile_95
from tests.benchmarks.reports.questions import SITE
from tests.builders.factories import event
from tests.conftest import Connection
from tests.servers.servers import until

DAYS = 30
FIRST, END = str(LAST_DAY - timedelta(days=DAYS - 1)), str(LAST_DAY + timedelta(days=1))
DAY = urlencode({"site_id": SITE, "date": str(LAST_DAY)})
RANGE = urlencode({"site_id": SITE, "from": FIRST, "to": END, "interval": "day"})
ASKED = {
    "stats, one day": f"/stats?{DAY}",
    "timeseries, views by day": f"/timeseries?{RANGE}&metric=views",
    "timeseries, users by day": f"/timeseries?{RANGE}&metric=users",
}
BATCH = 100


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.reports.under_load", description=__doc__)
    parser.add_argument("--database", help="address of a PostgreSQL that is filled already")
    parser.add_argument("--events", type=int, default=10_000_000, help="to fill one with (default 10 million)")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument(
        "--pause", type=float, default=0, help="seconds that a client waits after an answer (default 0)"
    )
    parser.add_argument("--rate", type=int, default=1_000, help="events a second (default 1,000)")
    options = parser.parse_args()
    with Place(None, database=options.database) as place, place.connect() as conn:
        if not options.database:
            fill(conn, events=options.events, days=DAYS)
        with place.served("apps.reporting:app", APP_PORT) as (address, child):
            under_load(place, conn, address, options)
            assert child.process
            table = Table("export of", "events", "seconds", "MiB before", "highest", "after")
            for media_type in TYPES:
                exported = export(address, child.process.pid, media_type, first=FIRST, end=END)
                table.add_row(media_type, f"{exported.events:,}", *(f"{value:.1f}" for value in exported[1:]))
            Console().print(table)


def under_load(place: Place, conn: Connection, address: str, options: argparse.Namespace) -> None:
    """Ask while events come in, and print."""
    with place.served("apps.ingestion:app", APP_PORT + 1) as (ingestion, _), place.running(*WORKER):
        start, enough = datetime.now(UTC), Event()
        answers: Counter[int] = Counter()
        times: dict[str, list[float]] = defaultdict(list)
        threads = [Thread(target=ingest, args=(ingestion, options.rate, answers, enough))]
        threads += [Thread(target=ask, args=(address, options.pause, times, enough)) for _ in range(options.clients)]
        for thread in threads:
            thread.start()
        enough.wait(options.seconds)
        enough.set()
        for thread in threads:
            thread.join()
        seconds = (datetime.now(UTC) - start).total_seconds()

        def stored() -> int:
            (count,) = conn.execute(
                "select count(*) from events where received_at >= %s and event_time >= %s", [start] * 2
            ).fetchone() or (0,)
            return int(count)

        meanwhile, accepted = stored(), answers[202] * BATCH
        until(lambda: stored() == accepted, timeout=60)
    table = Table("question", "median", "p95", "answers", title=f"{options.clients} clients, ms")
    for name, of_it in times.items():
        table.add_row(name, f"{median(of_it):.1f}", f"{percentile_95(of_it):.1f}", f"{len(of_it):,}")
    Console().print(table)
    print(
        f"ingested meanwhile, in {seconds:.0f} s: {accepted:,} events accepted, {accepted / seconds:,.0f} a second; "
        f"{meanwhile:,} stored when the clients stopped, and all soon after; batches by status: {dict(answers)}"
    )


def ask(address: str, pause: float, times: dict[str, list[float]], enough: Event) -> None:
    """One client that asks one question after the other over one connection, each of them anew."""
    conn = HTTPConnection(urlsplit(address).netloc)

    def answer(path: str) -> None:
        conn.request("GET", path)
        got = conn.getresponse()
        if got.status != 200:
            raise RuntimeError(f"{path}: {got.status} {got.read()!r}")
        got.read()

    while not enough.is_set():
        for name, path in ASKED.items():
            times[name].append(milliseconds(lambda path=path: answer(path)))  # type: ignore[misc]
            enough.wait(pause)
    conn.close()


def ingest(address: str, rate: int, answers: Counter[int], enough: Event) -> None:
    """A client that sends batches at a steady rate: events of now, of five sites and many users."""
    next_at, number = time.monotonic(), 0
    with httpx.Client(base_url=address, timeout=30) as client:
        while not enough.is_set():
            now = datetime.now(UTC).isoformat()
            batch = [
                event(
                    f"shop-{one % 5}",
                    event_id=str(uuid4()),
                    event_type=("page_view", "page_view", "click")[one % 3],
                    path=f"/products/{one * 31 % 2000}",
                    user_id=f"user-{one * 7919 % 1_000_000}",
                    timestamp=now,
                )
                for one in range(number, number + BATCH)
            ]
            answers[client.post("/events", json=batch).status_code] += 1
            number += BATCH
            next_at += BATCH / rate
            enough.wait(max(0, next_at - time.monotonic()))


if __name__ == "__main__":
    main()
