"""What the handlers of events use: made by the app, found through its state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

from litestar import Request

from actors.broker import broker as own_broker
from actors.durable.broker import DurableBroker
from actors.events import queue_events
from actors.queue.producer import Producer
from actors.queue.state import QueueReader
from apps.events.batcher import Batcher
from apps.events.validation import EventValidator
from apps.monitoring.queue_monitor import QueueMonitor
from db.settings import Settings


class EventResources:
    """The way into the queue, by these settings; `broker` names the queue's keys."""

    def __init__(self, settings: Settings, broker: DurableBroker = own_broker, redis_url: str | None = None) -> None:
        url = redis_url or settings.address("redis_url")
        self.settings = settings
        self.validator = EventValidator(settings)
        self.monitor = QueueMonitor(QueueReader(broker, url), settings)
        self.producer = Producer(broker, url)
        self.batcher = Batcher(partial(queue_events, self.producer), self.monitor)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take events; at the end hand over all that was taken."""
        await self.batcher.open()
        async with self.monitor.watching():
            yield
        await self.batcher.close()
        await self.producer.close()


def events_of(request: Request[Any, Any, Any]) -> EventResources:
    """Those of the app that a request came to."""
    return cast("EventResources", request.app.state.events)
