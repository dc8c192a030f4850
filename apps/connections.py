"""What the reporting app is connected to: PostgreSQL, which it reads, and the queue, which it watches and asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from actors.queue import broker, redis_url
from actors.queue_state import QueueReader
from actors.sender import Sender
from apps.queue_watch import QueueWatch
from db.pools import ReadConnection, begin_snapshot, read_pool, refusal_of
from db.settings import load

#: Connections to PostgreSQL: a report takes milliseconds of one.
CONNECTIONS = 8

settings = load()
pool = read_pool(settings.address("database_url"), connections=CONNECTIONS)
watch = QueueWatch(QueueReader(broker, redis_url), settings)
requests = Sender(broker, redis_url)


@asynccontextmanager
async def snapshot() -> AsyncIterator[tuple[ReadConnection, datetime]]:
    """A connection whose queries all see the same moment, and that moment."""
    async with pool.connection() as conn:
        yield conn, await begin_snapshot(conn)


@asynccontextmanager
async def connected() -> AsyncIterator[None]:
    """Hold the connections open."""
    await pool.open()
    async with watch.watching():
        yield
    await requests.close()
    await pool.close()


def refusal() -> str | None:
    """Why PostgreSQL refuses us; None where it does not, or is not up yet."""
    return refusal_of(settings.required("database_url"))
