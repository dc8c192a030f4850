"""What the reporting app is connected to: PostgreSQL, which it reads, and the queue, which it watches and asks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import TypeVar

from anyio import Semaphore

from actors.broker import broker, redis_url
from actors.queue.producer import Producer
from actors.queue.state import QueueReader
from apps.monitoring.queue_monitor import QueueMonitor
from db.connections.pools import ReadConnection, read_pool, refusal_of
from db.settings import load

Result = TypeVar("Result")

#: Connections to PostgreSQL: a report takes milliseconds of one.
CONNECTIONS = 8
#: How many of them reports may have at once that may take long. The others are for what is answered at once, so that
#: nobody who asks for that waits for those.
LONG = 5
#: Seconds in which a lent connection shows that it had just been ended: then another one is tried. What ends later,
#: somebody may have meant to end.
FIRST_MOMENT = 1.0
TRIES = 3

settings = load()
pool = read_pool(settings.address("database_url"), connections=CONNECTIONS)
watch = QueueMonitor(QueueReader(broker, redis_url), settings)
requests = Producer(broker, redis_url)
long = Semaphore(LONG)


async def read(work: Callable[[ReadConnection], Awaitable[Result]]) -> Result:
    """What `work` reads on a connection; on another one where the server has just ended this."""
    for left in reversed(range(TRIES)):
        conn = None
        try:
            async with pool.connection() as conn:
                since = monotonic()
                return await work(conn)
        except Exception:
            if conn is None or not conn.broken or monotonic() - since > FIRST_MOMENT or not left:
                raise
    raise AssertionError("the last try returns or raises")


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
