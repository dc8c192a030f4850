"""Chaos: a system under load whose parts are killed at random, and what has to be true of it afterwards."""

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock
from typing import Any
from uuid import uuid4

import httpx

from tests.builders.factories import event
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.servers.servers import eventually, until
from tests.servers.stack import PARTS, Stack

#: Events of a batch, and threads that send.
BATCH, SENDERS = 100, 4
#: One batch in so many is sent event by event, and one in so many is sent again though it was accepted.
SINGLE, AGAIN = 20, 10
#: Seconds for all that was accepted to be stored once nothing is killed any more.
TIMEOUT = 120


class Chaos:
    """A system on a data folder, clients that send to it, and the one who kills."""

    def __init__(self, data: Path, *, seed: int = 0, pause: float = 0, **environment: str) -> None:
        self.data = data
        self.environment = environment
        #: Seconds between two batches of a client.
        self.pause = pause
        self.random = random.Random(seed)
        self.sites = [f"chaos-{uuid4().hex[:8]}" for _ in range(3)]
        self.stack = Stack(data, **environment)
        self.stack.wait_until_up()
        self.lock = Lock()
        self.accepted = 0
        self.refused = 0
        self.killed: list[str] = []
        self.enough = Event()

    @contextmanager
    def load(self) -> Iterator[None]:
        """Clients send for as long as this lasts; what they have begun they send until it is accepted."""
        with ThreadPoolExecutor(SENDERS) as threads:
            clients = [threads.submit(self._send, number) for number in range(SENDERS)]
            try:
                yield
            finally:
                self.enough.set()
            for client in clients:
                client.result()

    def kill(self, part: str) -> None:
        """Kill a part of the system, or with `everything` all of it at once, and return once it is up again."""
        self.killed.append(part)
        before = set(self.stack.pids(part)) if part in PARTS else set()
        if part == "everything":
            for pid in self.stack.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            self.stack.kill(part)
        if part in ("everything", "supervisor"):
            self.stack.stop()
            stack = Stack(self.data, **self.environment)
            stack.wait_until_up()
            self.stack = stack
        else:
            until(lambda: set(self.stack.pids(part)) - before, timeout=60)

    def round(self, events: int) -> None:
        """Let so many events in, then kill something at random."""
        goal = self.accepted + events
        until(lambda: self.accepted >= goal, timeout=120)
        self.kill(self.random.choice((*PARTS, "everything")))

    def check(self) -> None:
        """Everything that was accepted is stored once, the rollups equal a recount and the ledger balances."""
        with eventually(self.stack.connect) as conn:
            until(lambda: stored(conn, self.sites) >= self.accepted, timeout=TIMEOUT)
            counts = conn.execute(
                "select count(*), count(distinct event_id) from events where site_id = any(%s)", [self.sites]
            ).fetchone()
            assert counts == (self.accepted, self.accepted)
            assert differences(conn, *self.sites) == {}
        until(self._settled, timeout=TIMEOUT)

    def _settled(self) -> bool:
        """Whether nothing is in flight any more; the rest of the ledger has to be right by then."""
        ledger = self.stack.reporting.get("/accounting").raise_for_status().json()
        accounts = [account for account in ledger["accounts"] if account["site_id"] in self.sites]
        if any(account["in_flight"] for account in accounts):
            return False
        assert ledger["balanced"], accounts
        assert sum(account["stored"] for account in accounts) == self.accepted
        assert sum(account["dead"] for account in accounts) == 0
        return True

    def _send(self, sender: int) -> None:
        batches = 0
        with httpx.Client(timeout=30) as client:  # its own: the stack's is closed while everything is killed
            while not self.enough.is_set():
                batches += 1
                site = self.sites[(sender + batches) % len(self.sites)]
                batch = [
                    event(site, event_id=str(uuid4()), user_id=f"user {number * batches % 997}", path=f"/{number % 37}")
                    for number in range(BATCH)
                ]
                if batches % SINGLE:
                    self._deliver(client, "/events", batch)
                else:
                    for one in batch:
                        self._deliver(client, "/event", one)
                with self.lock:
                    self.accepted += len(batch)
                if batches % AGAIN == 0:
                    self._deliver(client, "/events", batch)
                self.enough.wait(self.pause)

    def _deliver(self, client: httpx.Client, path: str, body: Any) -> None:
        """Send as real clients do: again and again, with the same ids, until it is accepted."""
        while True:
            try:
                answer = client.post(self.stack.ingestion.base_url.join(path), json=body)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 202:
                return
            assert answer is None or answer.status_code == 503, answer.text
            self.refused += 1
            time.sleep(0.05)


def stored(conn: Connection, sites: list[str]) -> int:
    """How many events of these sites the rollups count."""
    query = "select coalesce(sum(events), 0)::bigint from event_hours where site_id = any(%s)"
    (count,) = conn.execute(query, [sites]).fetchone() or (0,)
    return int(count)
