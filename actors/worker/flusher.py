"""Group commit: one statement (a flush) writes the messages of all threads of a worker to PostgreSQL.

A message that arrives during a flush joins the next one: at low load there is no timer to wait for, at high load the
flushes grow. Once the next flush is as large as the running one, it starts in parallel: the first half of a flush, the
insert of its events, needs no lock that another flush holds.
"""

import logging
import time
from collections import deque
from concurrent.futures import Future
from threading import Condition, Thread

from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from actors.metrics import count_flush
from actors.worker.postgres import FLUSHERS, PostgresPool
from db.store.events import Message
from db.store.whole_or_apart import StoreApart

logger = logging.getLogger(__name__)

#: Bytes after which a flush takes no more messages, so that a statement takes about a second at most.
FLUSH_BYTES = 8 * 1024 * 1024
#: Bytes, about 500 events. A smaller flush does not start in parallel to another one: small flushes cost more per
#: event.
BESIDE_BYTES = 128 * 1024


class PendingMessage:
    """A message, and the future that its thread waits for."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.done: Future[None] = Future()


class Flusher(Middleware):
    """The threads that write to PostgreSQL; they start and stop with the worker."""

    def __init__(self, database: PostgresPool) -> None:
        self.database = database
        self.waiting: deque[PendingMessage] = deque()
        self.waiting_bytes = 0
        #: The number of messages in each running flush.
        self.flushes: list[int] = []
        self.ending = False
        #: Upper limit of messages per flush: worker threads / flushers. Without it the first flush took everything, and
        #: the second ran at a fraction of its size, at a higher cost per event.
        self.max_messages = 1
        #: Guards the attributes above; notified when a flush may be due.
        self.condition = Condition()

    def store(self, message: Message) -> None:
        """Return once this message is processed; waits while PostgreSQL is unavailable.

        Each of its events is then stored or a dead letter. Raises Requeue if the worker stops before that. After any
        other error the message can be retried.
        """
        part = PendingMessage(message)
        with self.condition:
            self.waiting.append(part)
            self.waiting_bytes += len(message.events)
            self.condition.notify()
        part.done.result()

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.ending = False
        self.max_messages = -(-worker.worker_threads // FLUSHERS)
        self.threads = [Thread(target=self._run, name=f"flusher {number}", daemon=True) for number in range(FLUSHERS)]
        for thread in self.threads:
            thread.start()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        with self.condition:
            self.ending = True
            self.condition.notify_all()
        for thread in self.threads:
            thread.join()

    def _run(self) -> None:
        while parts := self._take():
            self._flush(parts)
            with self.condition:
                self.flushes.remove(len(parts))

    def _take(self) -> list[PendingMessage]:
        """Wait until a flush is due and return its messages; an empty list when the worker stops."""
        with self.condition:
            self.condition.wait_for(lambda: self.ending or self._is_due())
            parts: list[PendingMessage] = []
            size = 0
            while self.waiting and size < FLUSH_BYTES and (len(parts) < self.max_messages or size < BESIDE_BYTES):
                parts.append(self.waiting.popleft())
                size += len(parts[-1].message.events)
            self.waiting_bytes -= size
            if parts:
                self.flushes.append(len(parts))
            if self.waiting:
                self.condition.notify()
            return parts

    def _is_due(self) -> bool:
        if not self.flushes:
            return bool(self.waiting)
        # Do not start with the first threads that return from the last flush: the others will follow at once.
        return self.waiting_bytes >= BESIDE_BYTES and len(self.waiting) >= min(self.max_messages, *self.flushes)

    def _flush(self, parts: list[PendingMessage]) -> None:
        # Without duplicates: the same message may have been delivered twice.
        messages = list({part.message.id: part.message for part in parts}.values())
        start = time.monotonic()
        try:
            stored = self.database.store(messages)
        except StoreApart:
            for part in parts:
                self._flush([part])
            return
        except Exception as error:
            for part in parts:
                part.done.set_exception(error)
            return
        seconds = time.monotonic() - start
        count_flush(stored, seconds=seconds)
        fields = {
            "stored": stored.stored,
            "received": stored.received,
            "messages": len(messages),
            "milliseconds": round(seconds * 1000),
        }
        logger.info(
            "stored %(stored)d of %(received)d events from %(messages)d messages in %(milliseconds)d ms",
            fields,
            extra=fields | {"message_ids": [message.id for message in messages]},
        )
        if stored.dead:
            logger.error("%d events cannot be stored and are dead letters now", stored.dead)
        for part in parts:
            part.done.set_result(None)
