"""What of the queue goes into a backup: the messages that are not settled yet, and back into a queue."""

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

#: Those whose messages are promises: events, and what is asked of dead letters.
EVENTS = "events"
QUEUES = (EVENTS, "dead_letters")
#: Messages that are read by one command.
AT_ONCE = 100
#: How often the queue is read anew where a message went from one place to another meanwhile.
TRIES = 10


#: A message: its queue, and what Redis has.
Queued = tuple[str, bytes]


class BackupQueue:
    """The queue of an installation, for whoever reads all of it or puts it back."""

    def __init__(self, redis_url: str, *, namespace: str) -> None:
        dramatiq.set_encoder(MessagePackEncoder())
        self.broker = DurableBroker(redis_url, namespace=namespace, middleware=[])
        for queue in QUEUES:
            self.broker.declare_queue(queue)

    def accepted(self) -> AcceptedCounts:
        """What Redis has counted as accepted. Raises QueueUnavailable."""
        try:
            return read_accepted(self.broker)
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def read(self, unsettled: Callable[[Sequence[str]], int], *, begin: Callable[[], None]) -> Iterator[Queued]:
        """All messages that were in the queue at one moment, but those that are settled by the end.

        A message that is retried or fails for good meanwhile gets another place, and would be missed there: what was
        seen and could not be read has to be settled, which `unsettled` counts. Else all is read anew, after `begin`.
        Raises QueueUnavailable.
        """
        try:
            for _ in range(TRIES):
                begin()
                gone: list[str] = []
                moved = False
                for queue, key, ids in self._ids():
                    for first in range(0, len(ids), AT_ONCE):
                        some = ids[first : first + AT_ONCE]
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
        raise QueueUnavailable("its messages fail and are tried again all the time; try again later")

    def put_back(self, queue: str, data: bytes) -> None:
        """Return once the queue has this message. Raises ConnectionClosed."""
        try:
            message = Message.decode(data)
            options = {name: value for name, value in message.options.items() if name != "eta"}
            # The same message, so that it is settled once; only its place is new.
            self.broker.enqueue(message.copy(queue_name=queue).copy(options=options))
        except (DecodeError, AttributeError, TypeError):  # as it is: a worker files what cannot be read
            with redis_errors():
                self.broker.do_enqueue(queue, new_id(), data)

    def ping(self) -> None:
        """Raise QueueUnavailable where Redis does not answer."""
        try:
            self.broker.client.ping()
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def _ids(self) -> list[tuple[str, str, list[str]]]:
        """The ids in each queue at one moment, and the key of the messages."""
        keys = [(queue, f"{self.broker.namespace}:{name}.msgs") for queue in QUEUES for name in (queue, dq_name(queue))]
        pipe = self.broker.client.pipeline(transaction=True)
        for _, key in keys:
            pipe.hkeys(key)
        return [(*key, [each.decode() for each in ids]) for key, ids in zip(keys, pipe.execute(), strict=True)]
