"""How long others wait beside clients that hang up on a slow funnel: `python -m tests.benchmarks.reports.abandoned`.

The funnel is as slow as a lock on the events makes it, that is without end; the clients hang up after half a second and
ask again at once. Told are the times of GET /stats, alone and beside them.
"""

import os
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx
import psycopg

from db.connections.pools import connect
from db.migrations import migrate
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.servers.servers import Servers
from tests.servers.serving import serve

CLIENTS, TIMEOUT, SECONDS = 10, 0.5, 10.0
FUNNEL = (
    b"GET /funnel?site_id=shop&from=2026-03-10&to=2026-03-12&step=page_view;path:is:/&step=click HTTP/1.1\r\n"
    b"Host: localhost\r\n\r\n"
)


def main() -> None:
    servers = Servers()
    servers.start()
    try:
        migrate(servers.database_url)
        with connect(servers.database_url) as conn:
            store_events(conn, batch(*(received("shop", path=f"/{number}") for number in range(1_000))))
        os.environ |= {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url, "AUTH": "off"}
        with tempfile.TemporaryDirectory() as folder, serve("reporting", Path(folder)) as served:
            tell("alone", stats_times(served.url))
            with psycopg.connect(servers.database_url) as lock:
                lock.execute("lock table events in access exclusive mode")
                stop = threading.Event()
                clients = [threading.Thread(target=hang_up, args=(served.address, stop)) for _ in range(CLIENTS)]
                for client in clients:
                    client.start()
                time.sleep(1)
                tell(f"beside {CLIENTS} that hang up", stats_times(served.url))
                stop.set()
                for client in clients:
                    client.join()
    finally:
        servers.stop()


def hang_up(address: tuple[str, int], stop: threading.Event) -> None:
    while not stop.is_set():
        with socket.create_connection(address) as connection:
            connection.sendall(FUNNEL)
            time.sleep(TIMEOUT)


def stats_times(url: str) -> list[float]:
    """Milliseconds of each GET /stats for some seconds; a client that is refused stops it all."""
    times = []
    with httpx.Client(base_url=url, timeout=30) as client:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            before = time.monotonic()
            client.get("/stats?site_id=shop").raise_for_status()
            times.append((time.monotonic() - before) * 1000)
            time.sleep(0.02)
    return times


def tell(name: str, times: list[float]) -> None:
    p99 = statistics.quantiles(times, n=100)[98]
    print(f"{name}: {len(times)} times, median {statistics.median(times):.1f} ms, p99 {p99:.1f}, max {max(times):.1f}")


if __name__ == "__main__":
    main()
