"""Group acknowledgement: messages that threads finish at the same time, as those of a flush, are one command.

One by one, each would take its own round trip and write to disk, and over ten times the CPU of worker and Redis.
"""

from concurrent.futures import Future
from pathlib import Path
from threading import Lock

import redis

SCRIPT = Path(__file__).with_name("group_ack.lua").read_text()


class Group:
    """The messages of one command."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.done: Future[None] = Future()


class Acknowledgements:
    """Acknowledges messages that one worker has fetched from one queue.

    fetched: the key of the set of their ids; messages: the key of the hash of all messages of that queue.
    """

    def __init__(self, client: redis.Redis, *, fetched: str, messages: str) -> None:
        self.script = client.register_script(SCRIPT)
        self.keys = [fetched, messages]
        self.next = Group()
        #: Guards `next` and its ids.
        self.adding = Lock()
        #: Held during a command: threads that wait for it are in the next one, with all that join meanwhile.
        self.sending = Lock()

    def add(self, redis_id: str) -> None:
        """Return once this message is acknowledged in Redis. Errors of Redis are raised to all threads of the group."""
        with self.adding:
            group = self.next
            group.ids.append(redis_id)
        with self.sending:
            if not group.done.done():
                self._send(group)
        group.done.result()

    def _send(self, group: Group) -> None:
        with self.adding:
            self.next = Group()
        try:
            self.script(self.keys, group.ids)
        except redis.RedisError as error:
            group.done.set_exception(error)
        else:
            group.done.set_result(None)
