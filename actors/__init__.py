"""Dramatiq's home: the broker and the actors. `dramatiq actors` runs them; more of these scale the workers."""

from actors.make_partitions import make_partitions
from actors.queue import broker, sender
from actors.sender import QueueAway
from actors.store_events import queue_events, store_events

__all__ = ["QueueAway", "broker", "make_partitions", "queue_events", "sender", "store_events"]
