"""Group commit: what all threads of a worker bring is written to PostgreSQL together, as one statement a flush.

Whoever arrives while a flush is under way rides on the next one: at low load nobody waits for a timer, at high load the
flushes grow by themselves. Once the next one is as large it begins beside the one under way: the first half of a flush,
the insert of its events, needs no lock that another one holds.
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

#: A flush takes no more messages once it has this many bytes, so that a statement takes a second or so at most.
FLUSH_BYTES = 8 * 1024 * 1024
#: A flush of fewer bytes, some 500 events, does not begin beside another one: small ones cost more together.
BESIDE_BYTES = 128 * 1024


class PendingMessage:
    """One message, and the thread that waits for it."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.done: Future[None] = Future()


class Flusher(Middleware):
    """The threads that write; they start and stop with the worker."""

    def __init__(self, database: PostgresPool) -> None:
        self.database = database
        self.waiting: deque[PendingMessage] = deque()
        self.waiting_bytes = 0
        #: How many messages each flush has that is under way.
        self.flushes: list[int] = []
        self.ending = False
        #: Upper limit of messages per flush: worker threads / flushers. Without it the first flush took everything, and
        #: the second ran at a fraction of its size, at a higher cost per event.
        self.max_messages = 1
        #: Guards those above; notified when one of them calls for a flush.
        self.condition = Condition()

    def store(self, message: Message) -> None:
        """Return once this message is processed in PostgreSQL; waits for as long as that is unavailable.

        Its events are stored then, or dead letters where they cannot be. Raises Requeue where the worker stops before
        that, and whatever else was wrong: the message can be tried again.
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
        """What the next flush takes, once there should be one; nothing at the end."""
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
        # Not with the first few that come back from the last flush: the others are on their way.
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
