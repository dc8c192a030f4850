"""The queue and the actors. `dramatiq actors` starts a worker; start more of them to scale."""

from actors import access, dead_letters, events, imports, maintenance, people, sites

__all__ = ["access", "dead_letters", "events", "imports", "maintenance", "people", "sites"]
