"""What counts as given: "else" and "the first of these" mean the same everywhere, as in SQL by the function given."""

from typing import Any


def is_given(value: Any) -> bool:
    """Whether a JSON value says something: not null, empty or blank text, nor an empty list or object."""
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value != [] and value != {}


def first_given(*candidates: Any) -> Any:
    """The first of these that is given, None where none is."""
    return next((one for one in candidates if is_given(one)), None)
