"""Sending messages from an event loop, as broker.enqueue does from threads, and counting accepted events.

The ingestion app does not enqueue in a second thread, which would compete with the event loop for the interpreter's
lock (measured by tests/benchmarks/accept.py).
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import redis.asyncio
from dramatiq import Actor, Message
from dramatiq.message import generate_unique_id
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from actors.durable.broker import DurableBroker, socket_options

ENQUEUE = Path(__file__).with_name("enqueue.lua").read_text()

#: A site, and a day (UTC) as YYYY-MM-DD.
SiteDay = tuple[str, str]


class QueueUnavailable(Exception):
    """Redis did not confirm that it has the message, or could not be read."""


class Producer:
    """Puts messages into the queues of a broker."""

    def __init__(self, broker: DurableBroker, url: str) -> None:
        self.broker = broker
        self.client = redis.asyncio.Redis.from_url(
            url, retry=Retry(NoBackoff(), 0), **socket_options(url, broker.socket_timeout)
        )
        self.enqueue = self.client.register_script(ENQUEUE)

    async def send(
        self,
        actor: Actor[Any, Any],
        args: tuple[Any, ...],
        *,
        accepted: Mapping[SiteDay, int] = MappingProxyType({}),
        message_id: str | None = None,
    ) -> None:
        """Return once Redis has a message for the actor and has counted its events as accepted.

        Raises QueueUnavailable. Retried once: after a restart of Redis the pooled connection is dead.
        """
        message_id = message_id or generate_unique_id()
        message: Message[Any] = Message(
            queue_name=actor.queue_name,
            actor_name=actor.actor_name,
            args=args,
            kwargs={},
            options={"redis_message_id": message_id},
            message_id=message_id,
        )
        counts = [part for (site, day), events in accepted.items() for part in (f"{day} {site}", events)]
        keys = [self.broker.namespace]
        values = [message.queue_name, message_id, message.encode(), *counts]
        try:
            await self.enqueue(keys, values)
        except RedisError:
            try:
                await self.enqueue(keys, values)
            except RedisError as error:
                raise QueueUnavailable(str(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()
