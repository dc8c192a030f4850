"""The actor that stores events, and the way into its queue."""

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
    """Store events, a JSON array of them as ingestion made it. The message is acknowledged once that is committed."""
    flusher.store(Message(cast("MessageProxy", CurrentMessage.get_current_message()).message_id, events))


async def queue_events(producer: Producer, events: bytes, accepted: Mapping[SiteDay, int]) -> str:
    """Return once the queue has these events and has counted them: the id of their message.

    Raises QueueUnavailable where Redis did not say so.
    """
    # In order of time, so that the ids which PostgreSQL keeps for a while are added at the end of their index.
    message_id = str(uuid7())
    await producer.send(store_events, (events,), accepted=accepted, message_id=message_id)
    return message_id
