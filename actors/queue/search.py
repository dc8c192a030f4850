"""Searching the queue for one event."""

from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec
from dramatiq.errors import DecodeError
from dramatiq.message import Message
from redis.exceptions import RedisError

from actors.queue.producer import Producer, QueueUnavailable

#: The hashes that may hold a queued event: waiting or fetched by a worker, delayed until a retry, about to be
#: dead-lettered.
PLACES = ("events.msgs", "events.DQ.msgs", "dead_letters.msgs", "dead_letters.DQ.msgs")
#: Messages per HSCAN, and the total of bytes to search.
STEP, MAX_BYTES = 50, 64 * 1024 * 1024


class SearchResult(NamedTuple):
    """The outcome of a search."""

    received_at: datetime | None
    """When the event was accepted; None if it was not found."""
    complete: bool
    """Whether the event was found or the whole queue was searched."""


class _Event(msgspec.Struct):
    site_id: str
    event_id: UUID
    received_at: datetime


async def find_event(producer: Producer, *, site_id: str, event_id: UUID) -> SearchResult:
    """Search at most 64 MiB of the queue for an event. Raises QueueUnavailable."""
    text = str(event_id).encode()
    left = MAX_BYTES
    try:
        for place in PLACES:
            cursor = None
            while cursor != 0:
                key = f"{producer.broker.namespace}:{place}"
                cursor, messages = cast(
                    "tuple[int, dict[bytes, bytes]]", await producer.client.hscan(key, cursor or 0, count=STEP)
                )
                for data in messages.values():
                    if text in data and (received_at := _received_at(data, site_id, event_id)):
                        return SearchResult(received_at, complete=True)
                    left -= len(data)
                if left < 0:
                    return SearchResult(None, complete=False)
    except RedisError as error:
        raise QueueUnavailable(str(error)) from error
    return SearchResult(None, complete=True)


def _received_at(data: bytes, site_id: str, event_id: UUID) -> datetime | None:
    """When the event was accepted, if it is in this message: for store_events, or wrapped for file_dead_message."""
    try:
        argument: Any = Message.decode(data).args[0]
        if argument[:1] != b"[":
            return _received_at(argument, site_id, event_id)
        events = msgspec.json.decode(argument, type=list[_Event])
    except (DecodeError, LookupError, TypeError, ValueError):
        return None
    return next((event.received_at for event in events if (event.site_id, event.event_id) == (site_id, event_id)), None)
