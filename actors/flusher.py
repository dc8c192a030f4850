"""Group commit: one thread writes to PostgreSQL what all threads of a worker bring, as one statement a flush.

Whoever arrives while a flush is under way rides on the next one: at low load nobody waits for a timer, at high load the
flushes grow by themselves.
"""

import logging
import random
import time
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Event, Thread

from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from actors.database import Database
from actors.metrics import FLUSH_RETRIES, POSTGRESQL_AWAY, count_flush
from actors.retries import GiveBack
from db.failures import is_of_the_data, is_of_the_moment, is_of_the_server
from db.store import Stored, store_events

logger = logging.getLogger(__name__)

#: A flush takes no more messages once it has this many bytes, so that a statement takes a second or so at most.
FLUSH_BYTES = 8 * 1024 * 1024
#: Seconds between tries while PostgreSQL is away: the first, doubled each time up to the second.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class Part:
    """One message's events, as a JSON array, and the thread that waits for them."""

    def __init__(self, events: bytes) -> None:
        self.events = events
        self.done: Future[None] = Future()


class Flusher(Middleware):
    """The thread that writes; it starts and stops with the worker."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.waiting: SimpleQueue[Part | None] = SimpleQueue()
        self.stopping = Event()
        self.away = False
        #: Since when the thread has been at its present try, by `time.monotonic`; None while it has nothing to do.
        self.trying_since: float | None = None

    def store(self, events: bytes) -> None:
        """Return once these events, a JSON array, are in PostgreSQL; waits for as long as that is away.

        Raises GiveBack where the worker stops before that, and psycopg's error where an event cannot be stored.
        """
        part = Part(events)
        self.waiting.put(part)
        part.done.result()

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.stopping.clear()
        self.thread = Thread(target=self._run, name="flusher", daemon=True)
        self.thread.start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.stopping.set()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.waiting.put(None)
        self.thread.join()

    def _run(self) -> None:
        while part := self.waiting.get():
            self._flush([part, *self._riding_along(len(part.events))])
            self.trying_since = None

    def _riding_along(self, size: int) -> Iterator[Part]:
        while size < FLUSH_BYTES:
            try:
                part = self.waiting.get_nowait()
            except Empty:
                return
            if part is None:  # the last word: for the next turn
                self.waiting.put(None)
                return
            size += len(part.events)
            yield part

    def _flush(self, parts: list[Part]) -> None:
        start = time.monotonic()
        try:
            stored = self._write(_joined(parts))
        except Exception as error:
            if len(parts) > 1 and is_of_the_data(error):
                # One bad event must not keep its neighbours out: each message on its own.
                for part in parts:
                    self._flush([part])
                return
            for part in parts:
                part.done.set_exception(error)
            return
        seconds = time.monotonic() - start
        count_flush(stored=stored.stored, received=stored.received, seconds=seconds)
        fields = {
            "stored": stored.stored,
            "received": stored.received,
            "messages": len(parts),
            "milliseconds": round(seconds * 1000),
        }
        logger.info(
            "stored %(stored)d of %(received)d events from %(messages)d messages in %(milliseconds)d ms",
            fields,
            extra=fields,
        )
        for part in parts:
            part.done.set_result(None)

    def _write(self, batch: bytes) -> Stored:
        """Store a batch, waiting in place while PostgreSQL is away: its messages stay in Redis, unacknowledged."""
        pause = SHORTEST_PAUSE
        while not (self.away and self.stopping.is_set()):
            self.trying_since = time.monotonic()
            try:
                with self.database.pool.connection() as conn:
                    stored = store_events(conn, batch)
            except Exception as error:
                if is_of_the_moment(error):
                    FLUSH_RETRIES.inc()
                    continue
                if not is_of_the_server(error):
                    raise
                FLUSH_RETRIES.inc()
                self.away = True
                POSTGRESQL_AWAY.set(1)
                logger.warning("PostgreSQL cannot take events, next try in %.1f s: %s", pause, error)
                self.stopping.wait(pause * random.uniform(0.5, 1))  # noqa: S311 (many workers should not try as one)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self.away = False
                POSTGRESQL_AWAY.set(0)
                return stored
        raise GiveBack("the worker stops while PostgreSQL is away")


def _joined(parts: list[Part]) -> bytes:
    """One JSON array of several. A lone one stays as it is, whatever it is: PostgreSQL says what is wrong with it."""
    if len(parts) == 1:
        return parts[0].events
    return b"[" + b",".join(part.events[1:-1] for part in parts) + b"]"
