"""When an event without a time of its own first came, alike for all ingestion processes, kept in Redis for a day.

$namespace:first:$site $event_id: the first arrival, in milliseconds since 1970
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from actors.queue.producer import Producer
from actors.queue.transaction import execute

#: Seconds for which an event that is sent again is recognised, where only the first arrival tells its time.
FIRST_TIME_KEPT = 24 * 60 * 60


async def first_times(producer: Producer, events: Sequence[str], now: datetime) -> list[datetime]:
    """When each of these, "site event_id", first came: now, or at an earlier call of the last day.

    Raises QueueUnavailable.
    """
    keys = [f"{producer.broker.namespace}:first:{event}" for event in events]
    milliseconds = int(now.timestamp() * 1000)

    def ask(pipe: Any) -> None:
        for key in keys:
            pipe.set(key, milliseconds, nx=True, ex=FIRST_TIME_KEPT)
            pipe.get(key)

    answers = await execute(producer, ask)
    return [datetime.fromtimestamp(int(first) / 1000, UTC) for first in answers[1::2]]
