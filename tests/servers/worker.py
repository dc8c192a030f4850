"""A worker within the process of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq

import actors  # noqa: F401 (declares them)
from actors.broker import broker
from actors.worker.periodic import Periodic


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
