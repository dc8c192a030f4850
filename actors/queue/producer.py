"""Sending from an event loop: what broker.enqueue does for threads, and counting what was accepted.

The ingestion app does not enqueue in a thread beside its loop, because the two would fight for the interpreter's lock:
with 64 connections that took 14,000 events/s, this takes 23,000.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import redis.asyncio
from dramatiq.message import Message
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from actors.durable.broker import DurableBroker, socket_options

ENQUEUE = Path(__file__).with_name("enqueue.lua").read_text()

#: A site, and a day (UTC) as YYYY-MM-DD.
SiteDay = tuple[str, str]


class QueueUnavailable(Exception):
    """Redis did not say that it has the message."""


class Producer:
    """Puts messages into the queues of a broker."""

    def __init__(self, broker: DurableBroker, url: str) -> None:
        self.broker = broker
        self.client = redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **socket_options(url))
        self.enqueue = self.client.register_script(ENQUEUE)

    async def send(self, message: Message[Any], accepted: Mapping[SiteDay, int]) -> None:
        """Return once Redis has the message and has counted its events as accepted. Raises QueueUnavailable.

        The first failure is not taken for an answer: after a restart of Redis, the connection that was kept is dead.
        """
        redis_id = message.message_id
        data = replace(message, options={**message.options, "redis_message_id": redis_id}).encode()
        counts = [part for (site, day), events in accepted.items() for part in (f"{day} {site}", events)]
        keys, args = [self.broker.namespace], [message.queue_name, redis_id, data, *counts]
        try:
            await self.enqueue(keys, args)
        except RedisError:
            try:
                await self.enqueue(keys, args)
            except RedisError as error:
                raise QueueUnavailable(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()
