"""Group commit: what all threads of a worker bring is written to PostgreSQL together, as one statement a flush.

Whoever arrives while a flush is under way rides on the next one: at low load nobody waits for a timer, at high load the
flushes grow by themselves. Once the next one is as large it begins beside the one under way: the first half of a flush,
the insert of its events, needs no lock that another one holds.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition, Thread, get_ident
from typing import Any

from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from actors.metrics import count_flush
from actors.worker.postgres import FLUSHERS, PostgresPool
from db.connections.errors import is_data_error
from db.store.events import AlreadySettled, Message, Stored, store_apart, store_messages

logger = logging.getLogger(__name__)

#: The queue that the events are in.
QUEUE = "events"
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
        #: How many messages a large flush takes: as many as there are threads for each flusher. So the one beside it
        #: becomes as large; where the first took all, others followed in a sixth of its size, whose events cost more.
        self.share = 1
        #: Guards those above; notified when one of them calls for a flush.
        self.changed = Condition()
        #: Since when each thread has been trying to write, by `time.monotonic`; without those that are not.
        self.tries: dict[int, float] = {}

    @property
    def trying_since(self) -> float | None:
        """Since when the oldest try to write has been under way, by `time.monotonic`; None while there is none."""
        return min(self.tries.copy().values(), default=None)

    def store(self, message: Message) -> None:
        """Return once this message is settled in PostgreSQL; waits for as long as that is away.

        Its events are stored then, or dead letters where they cannot be. Raises Requeue where the worker stops before
        that, and whatever else was wrong: the message can be tried again.
        """
        part = PendingMessage(message)
        with self.changed:
            self.waiting.append(part)
            self.waiting_bytes += len(message.events)
            self.changed.notify()
        part.done.result()

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.ending = False
        self.share = -(-worker.worker_threads // FLUSHERS)
        self.threads = [Thread(target=self._run, name=f"flusher {number}", daemon=True) for number in range(FLUSHERS)]
        for thread in self.threads:
            thread.start()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        with self.changed:
            self.ending = True
            self.changed.notify_all()
        for thread in self.threads:
            thread.join()

    def _run(self) -> None:
        while parts := self._take():
            self._flush(parts)
            with self.changed:
                self.flushes.remove(len(parts))

    def _take(self) -> list[PendingMessage]:
        """What the next flush takes, once there should be one; nothing at the end."""
        with self.changed:
            self.changed.wait_for(lambda: self.ending or self._is_due())
            parts: list[PendingMessage] = []
            size = 0
            while self.waiting and size < FLUSH_BYTES and (len(parts) < self.share or size < BESIDE_BYTES):
                parts.append(self.waiting.popleft())
                size += len(parts[-1].message.events)
            self.waiting_bytes -= size
            if parts:
                self.flushes.append(len(parts))
            if self.waiting:
                self.changed.notify()
            return parts

    def _is_due(self) -> bool:
        if not self.flushes:
            return bool(self.waiting)
        # Not with the first few that come back from the last flush: the others are on their way.
        return self.waiting_bytes >= BESIDE_BYTES and len(self.waiting) >= min(self.share, *self.flushes)

    def _flush(self, parts: list[PendingMessage]) -> None:
        # One that was delivered twice at once is there once.
        messages = list({part.message.id: part.message for part in parts}.values())
        start = time.monotonic()
        try:
            stored = self._write(messages)
        except Exception as error:
            if len(messages) > 1 and (isinstance(error, AlreadySettled) or is_data_error(error)):
                # One bad event must not keep its neighbours out: each message on its own.
                for part in parts:
                    self._flush([part])
                return
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

    def _write(self, messages: list[Message]) -> Stored:
        try:
            return self.database.retry_until_available(self._try, store_messages, messages)
        except AlreadySettled:
            if len(messages) > 1:
                raise
            return Stored(0, 0)
        except Exception as error:
            if len(messages) > 1 or not is_data_error(error):
                raise
            return self._write_apart(messages[0])

    def _write_apart(self, message: Message) -> Stored:
        try:
            return self.database.retry_until_available(self._try, store_apart, message, queue=QUEUE)
        except AlreadySettled:
            return Stored(0, 0)

    def _try(self, conn: Any, work: Callable[..., Stored], *args: Any, **kwargs: Any) -> Stored:
        self.tries[get_ident()] = time.monotonic()
        try:
            return work(conn, *args, **kwargs)
        finally:
            del self.tries[get_ident()]
