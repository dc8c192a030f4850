"""`python -m tests.benchmarks.system.outage [--seconds N] [--rate N]`: PostgreSQL, then Redis, is away.

Prints what the clients were answered, how long it took until all was stored, and the memory of the worker meanwhile.
"""

import argparse
import shutil
import time
from collections import Counter
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from apps.up.embedded.postgres import EmbeddedPostgres
from apps.up.embedded.redis import EmbeddedRedis
from db.connections.pools import probe
from db.migrations import migrate
from tests.builders.factories import event
from tests.oracles.recount import differences
from tests.servers.servers import eventually, temporary_folder, until
from tests.servers.stack import Stack
from tests.system.chaos import stored

BATCH = 100


class Load:
    """A client that sends batches at a steady rate, and notes the answers."""

    def __init__(self, address: httpx.URL, rate: int) -> None:
        self.address = address
        self.pause = BATCH / rate
        self.site = uuid4().hex
        self.answers: Counter[int] = Counter()
        self.times: dict[int, list[float]] = {202: [], 503: []}
        self.enough = Event()
        self.thread = Thread(target=self._run)

    def __enter__(self) -> "Load":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        self.thread.join()

    def forget(self) -> None:
        self.answers.clear()
        self.times = {202: [], 503: []}

    def _run(self) -> None:
        with httpx.Client(base_url=self.address, timeout=30) as client:
            while not self.enough.is_set():
                start = time.monotonic()
                batch = [event(self.site, event_id=str(uuid4()), user_id=f"user {n}") for n in range(BATCH)]
                answer = client.post("/events", json=batch)
                taken = time.monotonic() - start
                self.answers[answer.status_code] += 1
                self.times.setdefault(answer.status_code, []).append(taken)
                time.sleep(max(0, self.pause - taken))

    def describe(self) -> str:
        return ", ".join(
            f"{count} x {status} (median {median(self.times[status]) * 1000:.0f} ms, "
            f"longest {max(self.times[status]) * 1000:.0f} ms)"
            for status, count in sorted(self.answers.items())
        )


def main() -> None:
    """Run, check and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.system.outage", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="how long PostgreSQL is away (default 120)")
    parser.add_argument("--rate", type=int, default=2_000, help="events a second (default 2,000)")
    options = parser.parse_args()
    folder = temporary_folder()
    server, redis = EmbeddedPostgres(folder / "postgres"), EmbeddedRedis(folder / "redis")
    postgres = server.child(log=folder / "postgres.log")
    cache = redis.child(log=folder / "redis.log")
    for child in (postgres, cache):
        child.start()
    eventually(lambda: probe(server.url))
    eventually(redis.probe)
    migrate(server.url)
    stack = Stack(folder / "data", DATABASE_URL=server.url, REDIS_URL=redis.url)
    try:
        stack.wait_until_up()
        with Load(stack.ingestion.base_url, options.rate) as load:
            time.sleep(5)
            print(f"worker with all up: {memory(stack)} MB", flush=True)
            load.forget()
            postgres.stop()
            most = 0
            for _ in range(options.seconds):
                time.sleep(1)
                most = max(most, memory(stack))
            print(f"PostgreSQL away for {options.seconds} s: {load.describe()}; worker at most {most} MB", flush=True)
            queued = load.answers[202] * BATCH
            postgres.start()
            back = time.monotonic()
            eventually(lambda: probe(server.url))
            until(lambda: in_flight(stack, load.site) < options.rate * 2, timeout=600)
            print(
                f"stored what had queued up ({queued:,}) {time.monotonic() - back:.0f} s after it was back", flush=True
            )
            load.forget()
            cache.stop()
            time.sleep(10)
            print(f"Redis away for 10 s: {load.describe()}", flush=True)
            cache.start()
            eventually(redis.probe)
            load.forget()
            until(lambda: load.answers[202] > 10)
            print(f"Redis back: {load.describe()}", flush=True)
        with psycopg.connect(server.url, autocommit=True) as conn:
            until(lambda: in_flight(stack, load.site) == 0, timeout=60)
            assert differences(conn, load.site) == {}
            print(f"{stored(conn, [load.site]):,} events stored once; {account(stack, load.site)}")
    finally:
        stack.stop()
        for child in (cache, postgres):
            child.stop()
        shutil.rmtree(folder)


def memory(stack: Stack) -> int:
    """Resident memory of the worker processes, in MB."""
    return (
        sum(
            int(line.split()[1])
            for pid in stack.pids("worker")
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
        // 1024
    )


def account(stack: Stack, site: str) -> dict[str, Any]:
    """The ledger of a site."""
    accounts = stack.reporting.get("/accounting", params={"site_id": site}).raise_for_status().json()["accounts"]
    return accounts[0] if accounts else {}


def in_flight(stack: Stack, site: str) -> int:
    return int(account(stack, site).get("in_flight", 0))


main()
