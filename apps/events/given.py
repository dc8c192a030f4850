"""Which values count as given: one definition for all fallbacks, the same as the SQL function `given`."""

from typing import Any


def is_given(value: Any) -> bool:
    """Whether a JSON value is neither null, empty or blank text, nor an empty list or object."""
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value != [] and value != {}


def first_given(*candidates: Any) -> Any:
    """The first candidate that is given, or None."""
    return next((candidate for candidate in candidates if is_given(candidate)), None)
