"""Group commit: one thread writes to PostgreSQL what all threads of a worker bring, as one statement a flush.

Whoever arrives while a flush is under way rides on the next one: at low load nobody waits for a timer, at high load the
flushes grow by themselves.
"""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from dramatiq import Broker, Worker
from dramatiq.middleware import Middleware

from actors.database import Database
from actors.metrics import count_flush
from db.failures import is_of_the_data
from db.store import AlreadySettled, Message, Stored, store_apart, store_messages

logger = logging.getLogger(__name__)

#: The queue that the events are in.
QUEUE = "events"
#: A flush takes no more messages once it has this many bytes, so that a statement takes a second or so at most.
FLUSH_BYTES = 8 * 1024 * 1024


class Part:
    """One message, and the thread that waits for it."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.done: Future[None] = Future()


class Flusher(Middleware):
    """The thread that writes; it starts and stops with the worker."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.waiting: SimpleQueue[Part | None] = SimpleQueue()
        #: Since when a try to write has been under way, by `time.monotonic`; None while there is none.
        self.trying_since: float | None = None

    def store(self, message: Message) -> None:
        """Return once this message is settled in PostgreSQL; waits for as long as that is away.

        Its events are stored then, or dead letters where they cannot be. Raises GiveBack where the worker stops before
        that, and whatever else was wrong: the message can be tried again.
        """
        part = Part(message)
        self.waiting.put(part)
        part.done.result()

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.thread = Thread(target=self._run, name="flusher", daemon=True)
        self.thread.start()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        self.waiting.put(None)
        self.thread.join()

    def _run(self) -> None:
        while part := self.waiting.get():
            self._flush([part, *self._riding_along(len(part.message.events))])

    def _riding_along(self, size: int) -> Iterator[Part]:
        while size < FLUSH_BYTES:
            try:
                part = self.waiting.get_nowait()
            except Empty:
                return
            if part is None:  # the last word: for the next turn
                self.waiting.put(None)
                return
            size += len(part.message.events)
            yield part

    def _flush(self, parts: list[Part]) -> None:
        # One that was delivered twice at once is there once.
        messages = list({part.message.id: part.message for part in parts}.values())
        start = time.monotonic()
        try:
            stored = self._write(messages)
        except Exception as error:
            if len(messages) > 1 and (isinstance(error, AlreadySettled) or is_of_the_data(error)):
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
            return self.database.patiently(self._try, store_messages, messages)
        except AlreadySettled:
            if len(messages) > 1:
                raise
            return Stored(0, 0)
        except Exception as error:
            if len(messages) > 1 or not is_of_the_data(error):
                raise
            return self._write_apart(messages[0])

    def _write_apart(self, message: Message) -> Stored:
        try:
            return self.database.patiently(self._try, store_apart, message, queue=QUEUE)
        except AlreadySettled:
            return Stored(0, 0)

    def _try(self, conn: Any, work: Callable[..., Stored], *args: Any, **kwargs: Any) -> Stored:
        self.trying_since = time.monotonic()
        try:
            return work(conn, *args, **kwargs)
        finally:
            self.trying_since = None
