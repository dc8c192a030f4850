"""The actor that makes partitions ahead of time."""

import dramatiq

from actors.clock import Clock
from actors.queue import broker, database
from db.store import make_partitions_ahead


@dramatiq.actor(broker=broker, queue_name="maintenance")
def make_partitions() -> None:
    """Make the partitions of events for this week and the next two, where they are missing."""
    with database.pool.connection() as conn:
        make_partitions_ahead(conn)


broker.add_middleware(Clock(make_partitions))
