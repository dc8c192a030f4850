"""Faults that the simulation has to find, put back on purpose."""

from collections.abc import Iterator
from contextlib import contextmanager

FAULTS: dict[str, str] = {}


@contextmanager
def with_fault(name: str | None) -> Iterator[None]:
    """Put a fault back."""
    yield
