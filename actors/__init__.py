"""Dramatiq's home: the queue and the actors. `dramatiq actors` runs them; more of these scale the workers."""

from actors.events import queue_events, store_events
from actors.partitions import make_partitions

__all__ = ["make_partitions", "queue_events", "store_events"]
