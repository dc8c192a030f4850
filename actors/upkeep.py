"""The actors that the clock sends: what a running system needs done now and then."""

import dramatiq

from actors.accepted import forget_counted, read_accepted
from actors.clock import Clock
from actors.queue import broker, database
from db import ledger, store


@dramatiq.actor(broker=broker, queue_name="maintenance")
def make_partitions() -> None:
    """Make the partitions of events for this week and the next two, where they are missing."""
    with database.pool.connection() as conn:
        store.make_partitions_ahead(conn)


@dramatiq.actor(broker=broker, queue_name="maintenance")
def forget_settled_messages() -> None:
    """Forget the messages that Redis cannot deliver again."""
    with database.pool.connection() as conn:
        store.forget_settled_messages(conn)


@dramatiq.actor(broker=broker, queue_name="maintenance")
def count_accepted() -> None:
    """Keep what Redis has counted as accepted, so that the ledger outlives it."""
    accepted = read_accepted(broker)
    with database.pool.connection() as conn:
        ledger.count_accepted(conn, source=accepted.source, counted_at=accepted.counted_at, counts=accepted.counts)
    forget_counted(broker, accepted)


broker.add_middleware(Clock({make_partitions: 3600, forget_settled_messages: 3600, count_accepted: 60}))
