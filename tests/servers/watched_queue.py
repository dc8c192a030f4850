"""A queue on a Redis of the test's own, which both apps use and watch while the test runs."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from actors.durable.broker import DurableBroker
from actors.durable.heartbeat import Heartbeat
from actors.queue.producer import Producer
from actors.queue.state import QueueReader
from apps.events.resources import EventResources
from apps.monitoring.queue_monitor import QueueMonitor
from apps.reporting_resources import ReportingResources
from tests.servers.servers import Redis

App = TestClient[Any]


class WatchedQueue:
    """The queue `test:events`, at first without workers."""

    def __init__(self, redis: Redis, apps: Mapping[App, QueueMonitor]) -> None:
        self.redis = redis
        self.apps = apps
        self.broker = DurableBroker(redis.server.url, namespace="test", middleware=[])
        self.broker.declare_queue("events")

    def beat(self) -> None:
        """Give the sign of life of a worker."""
        Heartbeat(self.broker)._beat()

    def empty(self) -> None:
        self.broker.flush("events")

    def set(self, **settings: int) -> None:
        """Change settings of both apps."""
        for watch in self.apps.values():
            watch.settings = msgspec.structs.replace(watch.settings, **settings)

    def look(self) -> None:
        """Have both apps look now."""
        for app, watch in self.apps.items():
            with app.portal() as portal:
                portal.call(watch.look)


@contextmanager
def watched_queue(
    redis: Redis,
    ingestion: httpx.Client,
    reporting: httpx.Client,
    events: EventResources,
    reports: ReportingResources,
) -> Iterator[WatchedQueue]:
    """Both apps on this Redis; in the end on the one of all tests again, with what they see there."""
    apps = {cast("App", ingestion): events.monitor, cast("App", reporting): reports.queue_monitor}
    queue = WatchedQueue(redis, apps)
    sending = Producer(queue.broker, redis.server.url)
    to_close: list[tuple[App, Callable[[], Awaitable[None]]]] = [(cast("App", ingestion), sending.close)]
    with pytest.MonkeyPatch.context() as patch:
        for app, watch in apps.items():
            reader = QueueReader(queue.broker, redis.server.url)
            to_close.append((app, reader.close))
            patch.setattr(watch, "reader", reader)
            patch.setattr(watch, "settings", watch.settings)
        for name in ("broker", "client", "enqueue"):
            patch.setattr(events.producer, name, getattr(sending, name))
        yield queue
    # Closed only now that the apps have their own again: a look in the background would open them anew.
    for app, close in to_close:
        with app.portal() as portal:
            portal.call(close)
    queue.look()
