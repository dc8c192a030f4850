"""The queue of the tests: what is in it while no worker runs, and a worker, or its connections, in their process."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import dramatiq
from dramatiq.common import current_millis
from dramatiq.message import Message

import actors  # noqa: F401 (declares them)
from actors.access import PAUSE, AccessPublisher
from actors.broker import broker, database, flusher, redis_url, settings
from actors.durable.broker import DurableBroker
from actors.durable.heartbeat import Heartbeat
from actors.durable.retries import DurableRetries
from actors.worker.health import WorkerPort
from actors.worker.periodic import Periodic
from actors.worker.postgres import PostgresPool
from db.connections.pools import WAIT
from db.settings import Settings

#: The messages that have a text: those of all tests before are in the queue too.
MESSAGES_WITH = """
local found = {}
for _, message in ipairs(redis.call('hvals', KEYS[1])) do
    if string.find(message, ARGV[1], 1, true) then found[#found + 1] = message end
end
return found
"""


def queued(site: str) -> list[dict[str, Any]]:
    """The events of a site that wait in the queue."""
    part = max(re.findall(r"[\w-]+", site, re.ASCII), key=len)  # which no encoding changes
    messages = cast("list[bytes]", broker.client.eval(MESSAGES_WITH, 1, f"{broker.namespace}:events.msgs", part))
    batches: list[list[dict[str, Any]]] = [json.loads(Message.decode(data).args[0]) for data in messages]
    return [event for batch in batches for event in batch if event["site_id"] == site]


def enqueue_old(broker: DurableBroker, *, seconds: int, queue_name: str = "events") -> None:
    """Put a message into a queue as if it had been sent so many seconds ago."""
    redis_id = str(UUID(int=(current_millis() - seconds * 1000) << 80 | 7 << 76))
    options = {"redis_message_id": redis_id}
    message = Message[None](queue_name=queue_name, actor_name="store_events", args=(b"[]",), kwargs={}, options=options)
    broker.do_enqueue(queue_name, redis_id, message.encode())


def impatient_broker(url: str, *, pause: float = 0.1) -> DurableBroker:
    """A broker that soon gives up, retries and finds workers dead; `pause`: seconds between its heartbeats."""
    retries = DurableRetries(max_retries=3, min_backoff=50, max_backoff=200)
    broker = DurableBroker(url, namespace="test", middleware=[retries], socket_timeout=0.5, heartbeat_timeout=1_000)
    broker.add_middleware(Heartbeat(broker, pause=pause))
    return broker


@contextmanager
def impatient_brokers(url: str) -> Iterator[Callable[..., DurableBroker]]:
    """Makes such brokers, of this Redis unless told otherwise; their connections are closed in the end."""
    made: list[DurableBroker] = []

    def make(url: str = url, **options: Any) -> DurableBroker:
        made.append(impatient_broker(url, **options))
        return made[-1]

    yield make
    for one in made:
        one.client.connection_pool.disconnect()


@contextmanager
def running_worker(*, access_pause: float = PAUSE) -> Iterator[DurableBroker]:
    """A worker of all actors, which tells ingestion of keys and sites every so many seconds.

    It has a broker of its own, which the context gives, with the middleware of the installation's. But maintenance has
    no schedule: the sites of all tests are behind, thousands of them.
    """
    of_a_broker = (Heartbeat, WorkerPort, AccessPublisher, Periodic)
    middleware = [one for one in broker.middleware if not isinstance(one, of_a_broker)]
    own = DurableBroker(redis_url, namespace=broker.namespace, middleware=middleware)
    heartbeat = Heartbeat(own)
    own.add_middleware(heartbeat)
    own.add_middleware(WorkerPort(settings, own, flusher, heartbeat))
    own.add_middleware(AccessPublisher(own, database, pause=access_pause))
    for actor in broker.actors.values():
        own.declare_actor(actor)
    own.file_dead = broker.file_dead
    worker = dramatiq.Worker(own, worker_threads=8)
    worker.start()
    yield own
    worker.stop()
    own.client.close()


@contextmanager
def connections_of_a_worker(
    database_url: str, *, connection_timeout: float = WAIT, **options: Any
) -> Iterator[PostgresPool]:
    """What a worker process with these settings has of PostgreSQL: for what is not run by a worker."""
    own = PostgresPool(Settings(database_url=database_url, **options), connection_timeout=connection_timeout)
    no_worker: Any = None
    own.before_worker_boot(no_worker, no_worker)
    try:
        yield own
    finally:
        own.after_worker_shutdown(no_worker, no_worker)
