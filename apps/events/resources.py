"""Resources of the event handlers: created by the app and kept in its state."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

from litestar import Request

from actors.broker import broker as own_broker
from actors.durable.broker import DurableBroker
from actors.events import queue_events
from actors.queue.access_snapshot import SnapshotReader
from actors.queue.producer import Producer
from actors.queue.state import QueueReader
from apps.access.snapshots import Snapshots
from apps.events.admission import Admission
from apps.events.batcher import Batcher
from apps.events.site_limit import SiteLimit
from apps.events.validation import EventValidator
from apps.monitoring.queue_monitor import QueueMonitor
from apps.origins import agents
from apps.origins.deriving import Deriving
from db.settings import Settings


class EventResources:
    """Validator, batcher and producer: the path into the queue. `broker` determines the names of the Redis keys."""

    def __init__(self, settings: Settings, broker: DurableBroker = own_broker, redis_url: str | None = None) -> None:
        url = redis_url or settings.address("redis_url")
        self.settings = settings
        self.validator = EventValidator(settings)
        self.monitor = QueueMonitor(QueueReader(broker, url), settings)
        self.producer = Producer(broker, url)
        self.snapshots = Snapshots(SnapshotReader(broker, url))
        self.admission = Admission(settings, self.snapshots)
        self.deriving = Deriving(settings, self.snapshots)
        per_second = settings.events_per_second_of_a_site
        limit = SiteLimit(self.producer, per_second) if per_second else None
        self.batcher = Batcher(partial(queue_events, self.producer), self.monitor, limit)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Accept events; on exit, send those that still wait to the queue."""
        await asyncio.to_thread(agents.load)
        await self.batcher.open()
        async with self.monitor.watching(), self.snapshots.watching():
            yield
        await self.batcher.close()
        await self.producer.close()


def events_of(request: Request[Any, Any, Any]) -> EventResources:
    """The resources of the app that handles this request."""
    return cast("EventResources", request.app.state.events)
