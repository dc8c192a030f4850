"""Searching the queue for one event, or for those of a person."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

import msgspec
from dramatiq.errors import DecodeError
from dramatiq.message import Message
from redis.exceptions import RedisError

from actors.queue.producer import Producer, QueueUnavailable
from db.events.ids import id_with_key, id_without_key

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
    secret_key: bool | None = None
    """Whether the event that was found came with a secret key."""


Found = TypeVar("Found")


class _OfSite(msgspec.Struct):
    site_id: str


class _OfUser(_OfSite):
    user_id: str | None = None
    visitor_id: str | None = None

    @property
    def name(self) -> str | None:
        """Whose event it is, as far as it tells."""
        return self.visitor_id if self.user_id is None else self.user_id


class _Event(msgspec.Struct):
    site_id: str
    event_id: str
    received_at: datetime


async def find_event(producer: Producer, *, site_id: str, event_id: UUID, max_bytes: int = MAX_BYTES) -> SearchResult:
    """Search at most 64 MiB of the queue for an event by its client's id. Raises QueueUnavailable.

    One that came with a secret key takes precedence over one with the same id that did not.
    """
    with_key, without = id_with_key(str(event_id)), id_without_key(str(event_id))
    texts = with_key.encode(), without.encode()
    found = None
    async for data in _messages(producer, max_bytes):
        if data is None:
            return found or SearchResult(None, complete=False)
        if any(text in data for text in texts):
            for event in _events(data, _Event):
                if event.site_id == site_id and event.event_id in (with_key, without):
                    found = SearchResult(event.received_at, complete=True, secret_key=event.event_id == with_key)
                    if found.secret_key:
                        return found
    return found or SearchResult(None, complete=True)


async def find_person(
    producer: Producer, *, site_id: str, ids: Collection[str], max_bytes: int = MAX_BYTES
) -> tuple[list[msgspec.Raw], set[str], bool]:
    """The events in the queue of a person: by the ids of the person and their visitors, without another user's.

    Returns them, the visitors that they name, and whether all of the queue was searched (64 MiB are). Raises
    QueueUnavailable.
    """
    texts = [msgspec.json.encode(one) for one in ids]
    found: list[msgspec.Raw] = []
    visitors: set[str] = set()
    async for data in _messages(producer, max_bytes):
        if data is None:
            return found, visitors, False
        if any(text in data for text in texts):
            for event in _events(data, msgspec.Raw):
                one = _sender(event)
                if one and one.site_id == site_id and one.name in ids:
                    found.append(msgspec.Raw(bytes(event)))
                    visitors |= {one.visitor_id} if one.visitor_id else set()
    return found, visitors, True


async def find_site(producer: Producer, site_id: str, *, max_bytes: int = MAX_BYTES) -> bool | None:
    """Whether the queue has events of a site; None if it has more than may be searched. Raises QueueUnavailable."""
    text = msgspec.json.encode(site_id)
    async for data in _messages(producer, max_bytes):
        if data is None:
            return None
        if text in data and any(event.site_id == site_id for event in _events(data, _OfSite)):
            return True
    return False


async def _messages(producer: Producer, max_bytes: int) -> AsyncIterator[bytes | None]:
    """What may hold events, message by message; None at the end if there is more than may be searched."""
    left = max_bytes
    try:
        for place in PLACES:
            cursor = None
            while cursor != 0:
                key = f"{producer.broker.namespace}:{place}"
                cursor, messages = cast(
                    "tuple[int, dict[bytes, bytes]]", await producer.client.hscan(key, cursor or 0, count=STEP)
                )
                for data in messages.values():
                    yield data
                    left -= len(data)
                if left < 0:
                    yield None
                    return
    except RedisError as error:
        raise QueueUnavailable(str(error)) from error


def _events(data: bytes, kind: type[Found]) -> list[Found]:
    """The events of a message for store_events, also if it is wrapped for file_dead_message, or of a replay."""
    try:
        arguments: Any = Message.decode(data).args
        for argument in arguments:
            if isinstance(argument, bytes):
                if argument[:1] == b"[":
                    return msgspec.json.decode(argument, type=list[kind])  # type: ignore[valid-type]
                if argument[:1] == b"{":
                    return [msgspec.json.decode(argument, type=kind)]
                return _events(argument, kind)
    except (DecodeError, LookupError, TypeError, ValueError):
        pass
    return []


def _sender(event: msgspec.Raw) -> _OfUser | None:
    try:
        return msgspec.json.decode(event, type=_OfUser)
    except ValueError:
        return None
