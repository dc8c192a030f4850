"""The counts of accepted events in Redis: enqueue.lua counts, this module reads and deletes."""

from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from redis.exceptions import RedisError

from actors.durable.broker import DurableBroker
from actors.queue.producer import Producer, QueueUnavailable
from db.ledger.balance import Count

DELETE = Path(__file__).with_name("forget_counted.lua").read_text()
#: Counts that one command deletes.
BATCH = 1_000


class AcceptedCounts(NamedTuple):
    """The counts of a Redis."""

    source: str
    """Which Redis: a name that lives as long as its data."""
    counted_at: datetime
    """When the counts were read, by the clock of Redis."""
    counts: list[Count]


def read_accepted(broker: DurableBroker) -> AcceptedCounts:
    """Read the counts. Raises errors of Redis."""
    pipe = broker.client.pipeline(transaction=True)
    _add_reads(pipe, broker.namespace)
    return _parse(*pipe.execute())


async def accepted_now(producer: Producer) -> AcceptedCounts:
    """Read the counts from an event loop. Raises QueueUnavailable."""
    pipe = producer.client.pipeline(transaction=True)
    _add_reads(pipe, producer.broker.namespace)
    try:
        return _parse(*await pipe.execute())
    except RedisError as error:
        raise QueueUnavailable(str(error)) from error


def forget_counted(broker: DurableBroker, accepted: AcceptedCounts) -> None:
    """Delete old days' counts, which PostgreSQL has now, except counts that have grown since they were read."""
    last = accepted.counted_at.date() - timedelta(days=1)
    saved = [(f"{count.day} {count.site_id}", str(count.events)) for count in accepted.counts if count.day < last]
    for first in range(0, len(saved), BATCH):
        some = saved[first : first + BATCH]
        broker.client.eval(DELETE, 1, f"{broker.namespace}:accepted", *chain.from_iterable(some))


def _add_reads(pipe: Any, namespace: str) -> None:
    pipe.set(f"{namespace}:accepted:source", str(uuid4()), nx=True)
    pipe.get(f"{namespace}:accepted:source")
    pipe.time()
    pipe.hgetall(f"{namespace}:accepted")


def _parse(_: object, source: bytes, time: tuple[int, int], counts: dict[bytes, bytes]) -> AcceptedCounts:
    seconds, microseconds = time
    return AcceptedCounts(
        source.decode(),
        datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds),
        [_count(field.decode(), int(events)) for field, events in counts.items()],
    )


def _count(field: str, events: int) -> Count:
    day, _, site = field.partition(" ")
    return Count(site, date.fromisoformat(day), events)
