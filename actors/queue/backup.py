"""The queue in backups: read the messages that are not processed yet, and put them back into a queue."""

from collections.abc import Callable, Iterator, Sequence

import dramatiq
import redis
from dramatiq.common import dq_name
from dramatiq.errors import DecodeError
from dramatiq.message import Message

from actors.durable.broker import DurableBroker, new_id
from actors.durable.consumer import redis_errors
from actors.durable.encoder import MessagePackEncoder
from actors.queue.accepted_counts import AcceptedCounts, read_accepted
from actors.queue.producer import QueueUnavailable

#: The queues whose messages must not be lost: events, and requests about dead letters.
EVENTS = "events"
QUEUES = (EVENTS, "dead_letters")
#: Messages that one command reads.
BATCH = 100
#: How often the queue is read again because a message moved to another place meanwhile.
TRIES = 10

#: A message: its queue, and its data in Redis.
Queued = tuple[str, bytes]


class BackupQueue:
    """The queue of an installation, for backup and restore."""

    def __init__(self, redis_url: str, *, namespace: str) -> None:
        dramatiq.set_encoder(MessagePackEncoder())
        self.broker = DurableBroker(redis_url, namespace=namespace, middleware=[])
        for queue in QUEUES:
            self.broker.declare_queue(queue)

    def accepted(self) -> AcceptedCounts:
        """The counts of accepted events. Raises QueueUnavailable."""
        try:
            return read_accepted(self.broker)
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def read(self, unsettled: Callable[[Sequence[str]], int], *, begin: Callable[[], None]) -> Iterator[Queued]:
        """All messages that were in the queue at one moment, except those that are processed by the end.

        A message that is retried or fails for good meanwhile moves to another place, where it would be missed. So an id
        whose message is gone has to be processed: `unsettled` counts ids that are not. If there are any, all is read
        again, after `begin`. Raises QueueUnavailable.
        """
        try:
            for _ in range(TRIES):
                begin()
                gone: list[str] = []
                moved = False
                for queue, key, ids in self._ids():
                    for first in range(0, len(ids), BATCH):
                        some = ids[first : first + BATCH]
                        for redis_id, data in zip(some, self.broker.client.hmget(key, some), strict=True):
                            if data is not None:
                                yield queue, data
                            elif queue == EVENTS:
                                gone.append(redis_id)
                            else:
                                moved = True
                if not moved and not unsettled(gone):
                    return
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error
        raise QueueUnavailable("its messages keep failing and being retried; try again later")

    def put_back(self, queue: str, data: bytes) -> None:
        """Return once the queue has this message. Raises ConnectionClosed."""
        try:
            message = Message.decode(data)
            options = {name: value for name, value in message.options.items() if name != "eta"}
            # Keep the message's id, so that it is processed once; only its place is new.
            self.broker.enqueue(message.copy(queue_name=queue).copy(options=options))
        except (DecodeError, AttributeError, TypeError):  # unchanged: a worker dead-letters it
            with redis_errors():
                self.broker.do_enqueue(queue, new_id(), data)

    def ping(self) -> None:
        """Raise QueueUnavailable if Redis does not respond."""
        try:
            self.broker.client.ping()
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def _ids(self) -> list[tuple[str, str, list[str]]]:
        """The ids in each queue at one moment, with the key of the messages."""
        keys = [(queue, f"{self.broker.namespace}:{name}.msgs") for queue in QUEUES for name in (queue, dq_name(queue))]
        pipe = self.broker.client.pipeline(transaction=True)
        for _, key in keys:
            pipe.hkeys(key)
        return [(*key, [each.decode() for each in ids]) for key, ids in zip(keys, pipe.execute(), strict=True)]
