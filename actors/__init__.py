"""Dramatiq's home: the queue and the actors. `dramatiq actors` runs them; more of these scale the workers."""

from actors import dead_letters, events, imports, maintenance, sites

__all__ = ["dead_letters", "events", "imports", "maintenance", "sites"]
