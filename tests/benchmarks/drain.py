"""A queue full of events, and how fast a worker drains it."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple

import msgspec

from db.events.event import ReceivedEvent
from tests.benchmarks.place import WORKER, Place
from tests.benchmarks.system.processes import Tree
from tests.builders.factories import received
from tests.servers.servers import until

QUEUE = "tjra:events"
#: So many messages are made and sent to Redis at once.
CHUNK = 5_000


class Part(NamedTuple):
    """A part of a queue that was drained."""

    events: int
    seconds: float
    resident: int
    """Bytes of memory that the worker had at the end of it."""


def rate(parts: list[Part]) -> float:
    """Events a second."""
    return sum(part.events for part in parts) / sum(part.seconds for part in parts)


def stream(*, sites: int = 5, users: int = 1_000_000, paths: int = 5_000) -> Iterator[ReceivedEvent]:
    """Events of the last two hours, without end; of users and pages the first ones come most often, as in fill.sql."""
    numbers = random.Random(0)
    number = 0
    while True:
        time_of_it = datetime.now(UTC) - timedelta(seconds=numbers.random() * 7_200)
        yield received(
            f"shop-{number % sites}",
            event_type=("page_view", "page_view", "page_view", "click")[number // sites % 4],
            path=f"/products/{int(paths * numbers.random() ** 2)}",
            user_id=f"user-{int(users * numbers.random() ** 3)}",
            timestamp=time_of_it.isoformat(),
        )
        number += 1


def fill_queue(place: Place, events: Iterator[ReceivedEvent], *, messages: int, per_message: int) -> None:
    """Put this many messages into a queue that is empty then."""
    import actors  # which reads its settings when it is imported

    place.redis.flushall()
    for first in range(0, messages, CHUNK):
        pipe = place.redis.pipeline(transaction=False)
        for number in range(first, min(first + CHUNK, messages)):
            message = actors.events.store_events.message(msgspec.json.encode(list(islice(events, per_message))))
            redis_id = f"message {number}"
            data = message.copy(options={"redis_message_id": redis_id}).encode()
            pipe.hset(f"{QUEUE}.msgs", redis_id, data)
            pipe.rpush(QUEUE, redis_id)
        pipe.execute()


def drain(place: Place, database_url: str, *, per_message: int, parts: int = 1) -> Iterator[Part]:
    """Let one worker process with 64 threads drain the queue; each part as it is done.

    A message counts once it is acknowledged, which is after the commit; the first part begins with the first that is.
    """

    def left() -> int:
        return int(place.redis.hlen(f"{QUEUE}.msgs"))

    queued = left()
    with place.running("env", f"DATABASE_URL={database_url}", *WORKER) as child:
        until(lambda: left() < queued, timeout=60)
        worker, before, since = Tree(child), left(), time.perf_counter()
        first = before
        for number in range(parts):
            goal = first - first * (number + 1) // parts
            until(lambda goal=goal: left() <= goal, timeout=3_600)  # type: ignore[misc]
            now_left, now = left(), time.perf_counter()
            yield Part((before - now_left) * per_message, now - since, worker.resident())
            before, since = now_left, now
