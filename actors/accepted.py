"""What Redis has counted as accepted: enqueue.lua counts, here it is read."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from redis.exceptions import RedisError

from actors.broker import DurableBroker
from actors.sender import QueueAway, Sender
from db.ledger import Count


class Accepted(NamedTuple):
    """The counts of a Redis."""

    source: str
    """Which Redis: a name that it keeps for as long as it keeps its data."""
    counted_at: datetime
    """When it was asked, by its own clock."""
    counts: list[Count]


def read_accepted(broker: DurableBroker) -> Accepted:
    """Ask Redis what it has counted; raises its errors."""
    pipe = broker.client.pipeline(transaction=True)
    _ask(pipe, broker.namespace)
    return _accepted(*pipe.execute())


async def accepted_now(sender: Sender) -> Accepted:
    """The same from an event loop. Raises QueueAway."""
    pipe = sender.client.pipeline(transaction=True)
    _ask(pipe, sender.broker.namespace)
    try:
        return _accepted(*await pipe.execute())
    except RedisError as error:
        raise QueueAway(str(error)) from error


def forget_counted(broker: DurableBroker, accepted: Accepted) -> None:
    """Drop the counts of days that are over for long: they are kept elsewhere, and grow no more."""
    last = accepted.counted_at.date() - timedelta(days=1)
    if fields := [f"{count.day} {count.site_id}" for count in accepted.counts if count.day < last]:
        broker.client.hdel(f"{broker.namespace}:accepted", *fields)


def _ask(pipe: Any, namespace: str) -> None:
    pipe.set(f"{namespace}:accepted:source", str(uuid4()), nx=True)
    pipe.get(f"{namespace}:accepted:source")
    pipe.time()
    pipe.hgetall(f"{namespace}:accepted")


def _accepted(_: object, source: bytes, time: tuple[int, int], counts: dict[bytes, bytes]) -> Accepted:
    seconds, microseconds = time
    return Accepted(
        source.decode(),
        datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds),
        [_count(field.decode(), int(events)) for field, events in counts.items()],
    )


def _count(field: str, events: int) -> Count:
    day, _, site = field.partition(" ")
    return Count(site, date.fromisoformat(day), events)
