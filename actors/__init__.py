"""The queue and the actors. `dramatiq actors` starts a worker; start more of them to scale."""

from actors import dead_letters, events, imports, maintenance, people, sites

__all__ = ["dead_letters", "events", "imports", "maintenance", "people", "sites"]
