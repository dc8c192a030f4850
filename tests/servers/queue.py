"""The queue of the tests: what is in it while no worker runs, and a worker in their process."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import dramatiq
from dramatiq.common import current_millis
from dramatiq.message import Message

import actors  # noqa: F401 (declares them)
from actors.broker import broker
from actors.durable.broker import DurableBroker
from actors.worker.periodic import Periodic


def queued(site: str) -> list[dict[str, Any]]:
    """The events of a site that wait in the queue."""
    messages = cast("dict[bytes, bytes]", broker.client.hgetall(f"{broker.namespace}:events.msgs"))
    batches: list[list[dict[str, Any]]] = [json.loads(Message.decode(data).args[0]) for data in messages.values()]
    return [event for batch in batches for event in batch if event["site_id"] == site]


def enqueue_old(broker: DurableBroker, *, seconds: int, queue_name: str = "events") -> None:
    """Put a message into a queue as if it had been sent so many seconds ago."""
    redis_id = str(UUID(int=(current_millis() - seconds * 1000) << 80 | 7 << 76))
    options = {"redis_message_id": redis_id}
    message = Message[None](queue_name=queue_name, actor_name="store_events", args=(b"[]",), kwargs={}, options=options)
    broker.do_enqueue(queue_name, redis_id, message.encode())


@contextmanager
def running_worker() -> Iterator[None]:
    """A worker of all actors. Maintenance has no schedule: the sites of all tests are behind, thousands of them."""
    middleware = list(broker.middleware)
    broker.middleware = [one for one in middleware if not isinstance(one, Periodic)]
    worker = dramatiq.Worker(broker, worker_threads=8)
    worker.start()
    yield
    worker.stop()
    broker.middleware = middleware  # a worker adds one of its own
