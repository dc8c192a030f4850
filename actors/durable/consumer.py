"""The consumer of DurableBroker: what one thread of a worker fetches from one queue, and how it is settled.

Redis keeps, for each process and queue, the set of ids that were fetched and not settled yet. A message is in danger
when that set and this process disagree. So `held` has what this process really holds, and whatever else is in the set
goes back to the queue.
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

#: Seconds between looks at an empty queue: the larger part of the time that a lone event waits.
IDLE_PAUSE = 0.02
#: Seconds between looks while this process holds all that it may.
FULL_PAUSE = 0.005

#: A message with this option is not acknowledged when its actor ends but goes back to its queue.
GIVE_BACK = "give_back"


@contextmanager
def redis_errors() -> "Iterator[None]":
    """Turn every error of Redis into the one that Dramatiq's threads survive.

    The stock consumer converts lost connections only: a timeout, or a Redis that is out of memory or read-only, would
    end the thread that delays messages for good, in a process that looks healthy.
    """
    try:
        yield
    except redis.RedisError as error:
        raise ConnectionClosed(error) from error


class DurableConsumer(_RedisConsumer):
    """Fetches messages so that each is at any time in the queue, held by this process, or settled."""

    broker: "DurableBroker"

    def __init__(self, broker: "DurableBroker", queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self.seen()
        self.fetched_key = f"{broker.namespace}:__acks__.{broker.broker_id}.{queue_name}"
        self.messages_key = f"{broker.namespace}:{queue_name}.msgs"
        self.acknowledgements = Acknowledgements(broker.client, fetched=self.fetched_key, messages=self.messages_key)
        self.held = broker.held.setdefault(queue_name, set())
        if queue_name in broker.delay_queues:
            # A consumer is made anew after an error, and then Dramatiq has dropped the messages it was delaying.
            self.held.clear()
        self.reclaim()

    def seen(self) -> None:
        """Note that the thread is at work; health.py looks at that."""
        self.broker.seen[self.queue_name] = time.monotonic()

    def __next__(self) -> MessageProxy | None:
        self.seen()
        with redis_errors():
            if not self.message_cache:
                self.message_cache = self._fetch()
            if not self.message_cache:
                time.sleep(IDLE_PAUSE if len(self.held) < self.prefetch else FULL_PAUSE)
                return None
            return self._hand_out(self.message_cache.pop(0))

    def ack(self, message: MessageProxy) -> None:
        if message.options.get(GIVE_BACK):
            self._settle(message, partial(self.broker.do_requeue, self.queue_name))
        else:
            self._settle(message, self.acknowledgements.add)

    def nack(self, message: MessageProxy) -> None:
        """Let go of a message that failed for good: once it is on its way to be filed, where this queue's are."""
        if self.queue_name not in self.broker.file_dead:
            self._settle(message, partial(self.broker.do_nack, self.queue_name))
            return
        exception = message._exception
        self.broker.file_dead[self.queue_name](message.encode(), f"{type(exception).__name__}: {exception}")
        self._settle(message, self.acknowledgements.add)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        ids = [message.options["redis_message_id"] for message in messages]
        with redis_errors():
            self._requeue(ids)
        self.held.difference_update(ids)

    def close(self) -> None:
        """Give back what was fetched and never handed out."""
        self.message_cache.clear()
        self.reclaim()

    def reclaim(self) -> None:
        """Put back into the queue what Redis says this process has fetched and it does not hold.

        A reply that was lost on its way, or a connection that broke with messages in the cache, leaves such ids; the
        stock consumer leaves them there for as long as its process lives.
        """
        with redis_errors():
            lost = [redis_id for redis_id in self._fetched_ids() if redis_id not in self.held]
            self._requeue(lost)
        if lost:
            logger.warning("put %d messages back into %s that were fetched and not held", len(lost), self.queue_name)

    def _fetch(self) -> list[bytes | None]:
        room = self.prefetch - len(self.held)
        # A fetch also writes this process's heartbeat, which an append-only Redis puts on disk: not for an empty queue.
        if room <= 0 or not self.broker.client.exists(f"{self.broker.namespace}:{self.queue_name}"):
            return []
        fetched: list[bytes | None] = self.broker.do_fetch(self.queue_name, room)
        return fetched

    def _hand_out(self, data: bytes | None) -> MessageProxy | None:
        if data is None:  # its id was in the queue twice, and the first was settled
            return None
        try:
            message: Message[Any] = Message.decode(data)
            self.held.add(message.options["redis_message_id"])
        except (DecodeError, KeyError, TypeError) as error:
            self._set_aside(data, error)
            return None
        return MessageProxy(message)

    def _set_aside(self, data: bytes, error: Exception) -> None:
        """Move an unreadable message to the dead letters; the stock consumer would stop at it with all behind it."""
        for redis_id in self._fetched_ids():
            if self.broker.client.hget(self.messages_key, redis_id) == data:
                logger.error("set aside an unreadable message of %s, id %s: %s", self.queue_name, redis_id, error)
                if self.queue_name in self.broker.file_dead:
                    self.broker.file_dead[self.queue_name](data, f"it cannot be read: {error}")
                    self.broker.do_ack(self.queue_name, redis_id)
                else:
                    self.broker.do_nack(self.queue_name, redis_id)

    def _settle(self, message: MessageProxy, command: Callable[[str], object]) -> None:
        self.seen()  # with Redis away, the thread that delays messages comes here again and again
        redis_id = message.options["redis_message_id"]
        try:
            with redis_errors():
                command(redis_id)
        except ConnectionClosed:
            if not self.broker.stopping:
                raise  # the worker tries again until it is settled
            # With Redis away, another worker will get it; a stop must not wait for that.
            logger.warning("stopped without settling message %s of %s", redis_id, self.queue_name)
        self.held.discard(redis_id)

    def _fetched_ids(self) -> list[str]:
        return [redis_id.decode() for redis_id in cast("set[bytes]", self.broker.client.smembers(self.fetched_key))]

    def _requeue(self, ids: list[str]) -> None:
        if ids:
            self.broker.do_requeue(self.queue_name, *ids)
