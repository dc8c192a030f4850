"""The actor that stores events, and the way into its queue."""

import dramatiq

from actors.queue import broker, flusher, sender


@dramatiq.actor(broker=broker, queue_name="events")
def store_events(events: bytes) -> None:
    """Store events, a JSON array of them as ingestion made it. The message is acknowledged once they are committed."""
    flusher.store(events)


async def queue_events(events: bytes) -> None:
    """Return once the queue has these events. Raises QueueAway where Redis did not say that it has them."""
    await sender.send(store_events.message(events))
