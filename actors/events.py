"""The actor that stores events, and how ingestion queues them."""

from collections.abc import Mapping
from typing import cast

import dramatiq
from dramatiq.broker import MessageProxy
from dramatiq.middleware import CurrentMessage
from uuid_utils import uuid7

from actors.broker import broker, flusher
from actors.queue.producer import Producer, SiteDay
from actors.queue_names import EVENTS
from db.store.events import Message


@dramatiq.actor(broker=broker, queue_name=EVENTS)
def store_events(events: bytes) -> None:
    """Store a JSON array of events, as ingestion made it. The message is acknowledged after the commit."""
    flusher.store(Message(cast("MessageProxy", CurrentMessage.get_current_message()).message_id, events))


async def queue_events(producer: Producer, events: bytes, accepted: Mapping[SiteDay, int]) -> str:
    """Return the id of the message once the queue has these events and has counted them.

    Raises QueueUnavailable if Redis did not confirm it.
    """
    # UUIDv7, ordered by time: PostgreSQL adds the id of a processed message at the end of its index.
    message_id = str(uuid7())
    await producer.send(store_events, (events,), accepted=accepted, message_id=message_id)
    return message_id
