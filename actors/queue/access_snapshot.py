"""The snapshot of keys, logins and sites in Redis: workers write it, ingestion reads it.

$namespace:access: a hash with the snapshot as JSON and its version, which is made from it
"""

import asyncio
import hashlib
from typing import Any, NamedTuple, cast

import msgspec
import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from actors.durable.broker import DurableBroker, socket_options
from actors.queue.producer import QueueUnavailable
from db.access.snapshot import Snapshot

#: Seconds within which Redis has to respond.
READ_TIMEOUT = 1.0
VERSION, SNAPSHOT = "version", "snapshot"


class Versioned(NamedTuple):
    """A snapshot and its version."""

    version: bytes
    snapshot: Snapshot


def name_of(namespace: str) -> str:
    """The key in Redis."""
    return f"{namespace}:access"


def publish(client: "redis.Redis", namespace: str, snapshot: Snapshot) -> bool:
    """Write a snapshot unless it is there; return whether it was written."""
    body = msgspec.json.encode(snapshot)
    version = hashlib.sha256(body).hexdigest()
    name = name_of(namespace)
    if client.hget(name, VERSION) == version.encode():
        return False
    client.hset(name, mapping={VERSION: version, SNAPSHOT: body})
    return True


class SnapshotReader:
    """Reads the snapshot of a broker's namespace, on its own connection."""

    def __init__(self, broker: DurableBroker, url: str) -> None:
        self.name = name_of(broker.namespace)
        self.client = redis.asyncio.Redis.from_url(
            url, retry=Retry(NoBackoff(), 1), **socket_options(url, broker.socket_timeout)
        )

    async def read(self, known: bytes | None) -> Versioned | None:
        """The snapshot, if there is one of another version. Raises QueueUnavailable, and ValueError if it is none."""
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                if await cast("Any", self.client.hget(self.name, VERSION)) in (None, known):
                    return None
                version, body = await cast("Any", self.client.hmget(self.name, [VERSION, SNAPSHOT]))
        except RedisError as error:
            raise QueueUnavailable(str(error)) from error
        except TimeoutError as error:
            raise QueueUnavailable(f"no answer within {READ_TIMEOUT} s") from error
        if body is None:  # it was deleted just now
            return None
        return Versioned(version, msgspec.json.decode(body, type=Snapshot))

    async def close(self) -> None:
        """Close the connection."""
        await self.client.aclose()
