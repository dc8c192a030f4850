"""The consumer of DurableBroker: a worker thread that fetches messages of one queue, and how they are acknowledged.

For each process and queue, Redis has the set of ids that were fetched and not acknowledged yet. A message can be lost
when this set and the process disagree. So `held` has the messages that this process really holds; all others in the set
are requeued.
"""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import redis
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError
from dramatiq.message import Message

from actors.durable.group_ack import Acknowledgements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actors.durable.broker import DurableBroker

logger = logging.getLogger(__name__)

#: Seconds between polls of an empty queue: most of the latency of a single event.
IDLE_PAUSE = 0.02
#: Seconds between polls while this process holds as many messages as it may.
FULL_PAUSE = 0.005

#: A message with this option is requeued when its actor ends, instead of acknowledged.
REQUEUE = "requeue"


@contextmanager
def redis_errors() -> "Iterator[None]":
    """Turn every error of Redis into ConnectionClosed, which Dramatiq's threads survive.

    The stock consumer converts lost connections only: a timeout, or a Redis that is out of memory or read-only, ends
    the thread that delays messages, in a process that looks healthy.
    """
    try:
        yield
    except redis.RedisError as error:
        raise ConnectionClosed(error) from error


class DurableConsumer(_RedisConsumer):
    """Fetches messages so that each is at any time in the queue, held by this process, or acknowledged."""

    broker: "DurableBroker"

    def __init__(self, broker: "DurableBroker", queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self.seen()
        self.fetched_key = f"{broker.namespace}:__acks__.{broker.broker_id}.{queue_name}"
        self.messages_key = f"{broker.namespace}:{queue_name}.msgs"
        self.acknowledgements = Acknowledgements(broker.client, fetched=self.fetched_key, messages=self.messages_key)
        self.held = broker.held.setdefault(queue_name, set())
        if queue_name in broker.delay_queues:
            # After an error Dramatiq makes a new consumer, and has dropped the messages that it was delaying.
            self.held.clear()
        self.reclaim()

    def seen(self) -> None:
        """Record that the thread is active; worker/health.py checks it."""
        self.broker.seen[self.queue_name] = time.monotonic()

    def __next__(self) -> MessageProxy | None:
        self.seen()
        with redis_errors():
            if not self.message_cache:
                self.message_cache = self._fetch()
            if not self.message_cache:
                time.sleep(IDLE_PAUSE if len(self.held) < self.prefetch else FULL_PAUSE)
                return None
            return self._proxy(self.message_cache.pop(0))

    def ack(self, message: MessageProxy) -> None:
        if message.options.get(REQUEUE):
            self._release(message, partial(self.broker.do_requeue, self.queue_name))
        else:
            self._release(message, self.acknowledgements.add)

    def nack(self, message: MessageProxy) -> None:
        """Release a message that failed for good, after it is sent to be dead-lettered, if its queue does that."""
        if self.queue_name not in self.broker.file_dead:
            self._release(message, partial(self.broker.do_nack, self.queue_name))
            return
        exception = message._exception
        self.broker.file_dead[self.queue_name](message.encode(), f"{type(exception).__name__}: {exception}")
        self._release(message, self.acknowledgements.add)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        ids = [message.options["redis_message_id"] for message in messages]
        with redis_errors():
            self._requeue(ids)
        self.held.difference_update(ids)

    def close(self) -> None:
        """Requeue messages that were fetched and never passed to an actor."""
        self.message_cache.clear()
        self.reclaim()

    def reclaim(self) -> None:
        """Requeue messages that are marked in Redis as fetched by this process, but that it does not hold.

        A lost reply, or a connection that broke with messages in the cache, leaves such ids; the stock consumer leaves
        them there as long as its process lives.
        """
        with redis_errors():
            lost = [redis_id for redis_id in self._fetched_ids() if redis_id not in self.held]
            self._requeue(lost)
        if lost:
            logger.warning("requeued %d messages of %s that were fetched but not held", len(lost), self.queue_name)

    def _fetch(self) -> list[bytes | None]:
        room = self.prefetch - len(self.held)
        # A fetch also writes this process's heartbeat, which an append-only Redis writes to disk: skip an empty queue.
        if room <= 0 or not self.broker.client.exists(f"{self.broker.namespace}:{self.queue_name}"):
            return []
        fetched: list[bytes | None] = self.broker.do_fetch(self.queue_name, room)
        return fetched

    def _proxy(self, data: bytes | None) -> MessageProxy | None:
        if data is None:  # its id was queued twice, and the first is acknowledged
            return None
        try:
            message: Message[Any] = Message.decode(data)
            self.held.add(message.options["redis_message_id"])
        except (DecodeError, KeyError, TypeError) as error:
            self._dead_letter(data, error)
            return None
        return MessageProxy(message)

    def _dead_letter(self, data: bytes, error: Exception) -> None:
        """Dead-letter an unreadable message; the stock consumer would stop at it, and block all messages behind it."""
        for redis_id in self._fetched_ids():
            if self.broker.client.hget(self.messages_key, redis_id) == data:
                logger.error("dead-lettered an unreadable message of %s, id %s: %s", self.queue_name, redis_id, error)
                if self.queue_name in self.broker.file_dead:
                    self.broker.file_dead[self.queue_name](data, f"it cannot be read: {error}")
                    self.broker.do_ack(self.queue_name, redis_id)
                else:
                    self.broker.do_nack(self.queue_name, redis_id)

    def _release(self, message: MessageProxy, command: Callable[[str], object]) -> None:
        self.seen()  # while Redis is unavailable, the thread that delays messages retries here
        redis_id = message.options["redis_message_id"]
        try:
            with redis_errors():
                command(redis_id)
        except ConnectionClosed:
            if not self.broker.stopping:
                raise  # the worker retries until it is acknowledged
            # Redis is unavailable: another worker will get the message; a stop must not wait.
            logger.warning("stopped without acknowledging message %s of %s", redis_id, self.queue_name)
        self.held.discard(redis_id)

    def _fetched_ids(self) -> list[str]:
        return [redis_id.decode() for redis_id in cast("set[bytes]", self.broker.client.smembers(self.fetched_key))]

    def _requeue(self, ids: list[str]) -> None:
        if ids:
            self.broker.do_requeue(self.queue_name, *ids)
