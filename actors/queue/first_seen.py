"""When an event without a timestamp first arrived; in Redis for a day, shared by all ingestion processes.

$namespace:first:$site $event_id: the first arrival, in milliseconds since 1970
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from actors.queue.producer import Producer
from actors.queue.transaction import execute

#: Seconds for which a resent event without a timestamp gets the time of its first arrival.
FIRST_TIME_TTL = 24 * 60 * 60


async def first_times(producer: Producer, events: Sequence[str], now: datetime) -> list[datetime]:
    """When each of these events, "site event_id", first arrived: now, or in an earlier call within a day.

    Raises QueueUnavailable.
    """
    keys = [f"{producer.broker.namespace}:first:{event}" for event in events]
    milliseconds = int(now.timestamp() * 1000)

    def add_commands(pipe: Any) -> None:
        for key in keys:
            pipe.set(key, milliseconds, nx=True, ex=FIRST_TIME_TTL)
            pipe.get(key)

    replies = await execute(producer, add_commands)
    return [datetime.fromtimestamp(int(first) / 1000, UTC) for first in replies[1::2]]
