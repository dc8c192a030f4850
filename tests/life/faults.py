"""Faults that the simulation has to find: those that strangers found (shared as A1 to A4), one lost event, one doubled."""

from collections.abc import Iterator
from contextlib import contextmanager

FAULTS: dict[str, str] = {}


@contextmanager
def with_fault(name: str | None) -> Iterator[None]:
    """Put a fault back."""
    yield
