"""What Redis has counted as accepted: enqueue.lua counts, here it is read."""

from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from redis.exceptions import RedisError

from actors.durable.broker import DurableBroker
from actors.queue.producer import Producer, QueueUnavailable
from db.ledger.balance import Count

FORGET = Path(__file__).with_name("forget_counted.lua").read_text()
#: Counts that are dropped by one command.
AT_ONCE = 1_000


class AcceptedCounts(NamedTuple):
    """The counts of a Redis."""

    source: str
    """Which Redis: a name that it keeps for as long as it keeps its data."""
    counted_at: datetime
    """When it was asked, by its own clock."""
    counts: list[Count]


def read_accepted(broker: DurableBroker) -> AcceptedCounts:
    """Ask Redis what it has counted; raises its errors."""
    pipe = broker.client.pipeline(transaction=True)
    _ask(pipe, broker.namespace)
    return _accepted(*pipe.execute())


async def accepted_now(producer: Producer) -> AcceptedCounts:
    """The same from an event loop. Raises QueueUnavailable."""
    pipe = producer.client.pipeline(transaction=True)
    _ask(pipe, producer.broker.namespace)
    try:
        return _accepted(*await pipe.execute())
    except RedisError as error:
        raise QueueUnavailable(str(error)) from error


def forget_counted(broker: DurableBroker, accepted: AcceptedCounts) -> None:
    """Drop the counts of days that are over for long, which are kept elsewhere; one that has grown since is left."""
    last = accepted.counted_at.date() - timedelta(days=1)
    kept = [(f"{count.day} {count.site_id}", str(count.events)) for count in accepted.counts if count.day < last]
    for first in range(0, len(kept), AT_ONCE):
        some = kept[first : first + AT_ONCE]
        broker.client.eval(FORGET, 1, f"{broker.namespace}:accepted", *chain.from_iterable(some))


def _ask(pipe: Any, namespace: str) -> None:
    pipe.set(f"{namespace}:accepted:source", str(uuid4()), nx=True)
    pipe.get(f"{namespace}:accepted:source")
    pipe.time()
    pipe.hgetall(f"{namespace}:accepted")


def _accepted(_: object, source: bytes, time: tuple[int, int], counts: dict[bytes, bytes]) -> AcceptedCounts:
    seconds, microseconds = time
    return AcceptedCounts(
        source.decode(),
        datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds),
        [_count(field.decode(), int(events)) for field, events in counts.items()],
    )


def _count(field: str, events: int) -> Count:
    day, _, site = field.partition(" ")
    return Count(site, date.fromisoformat(day), events)
