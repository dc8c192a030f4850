"""Reduces an event to what can be stored: an invalid optional part never loses the event."""

from itertools import islice
from typing import Any

import msgspec

from db.events.limits import MAX_PROPERTIES_BYTES, MAX_PROPERTIES_DEPTH, MAX_PROPERTIES_KEYS, text_fault
from db.events.tolerant_json import UNKEPT

#: Properties that are looked at: of more, those that come first.
MOST_PROPERTIES = 10 * MAX_PROPERTIES_KEYS


class _Misfit(Exception):
    """A property is nested too deep."""


def storable(text: str) -> str:
    """Text that PostgreSQL can store: U+FFFD instead of U+0000."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def cut_text(text: str, size: int) -> str:
    """The start of a text, at most `size` bytes."""
    return text.encode()[:size].decode(errors="ignore")


def fit_user_id(given: Any) -> tuple[str | None, bool]:
    """A user_id as text, of a whole number too, and whether it could be kept: None of another type or too long."""
    if isinstance(given, float) and given.is_integer() and given != UNKEPT:
        given = int(given)
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    text = storable(given) if isinstance(given, str) else None
    if text is None or text_fault("user_id", text):
        return None, False
    return text, True


def fit_properties(properties: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The properties within our limits, and the names of those that are left out or have a number replaced by null.

    Properties that are nested too deep are left out; then, while there are too many keys or bytes, the property with
    the most of them (the last of several).
    """
    kept: dict[str, Any] = {}
    changed = []
    sizes, keys = {}, {}
    for given_name, given in islice(properties.items(), MOST_PROPERTIES):
        name = storable(given_name)
        try:
            value = _storable_value(given, depth=1)
        except _Misfit:
            changed.append(name)
            continue
        if _holds_unkept(given):
            changed.append(name)
        kept[name] = value
        sizes[name], keys[name] = len(msgspec.json.encode({name: value})) - 1, _keys(value) + 1
    for weights, limit in ((keys, MAX_PROPERTIES_KEYS), (sizes, MAX_PROPERTIES_BYTES - 1)):
        too_much = sum(weights[name] for name in kept) - limit
        lightest_first = sorted(kept, key=weights.__getitem__)
        while too_much > 0:
            heaviest = lightest_first.pop()
            too_much -= weights[heaviest]
            del kept[heaviest]
            changed.append(heaviest)
    changed += map(storable, islice(properties, MOST_PROPERTIES, MOST_PROPERTIES + 20))  # no list has more names
    return kept, list(dict.fromkeys(changed))


def _storable_value(value: Any, *, depth: int) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float):
        return None if value == UNKEPT else value
    if not isinstance(value, dict | list):
        return value
    if depth == MAX_PROPERTIES_DEPTH:
        raise _Misfit
    if isinstance(value, list):
        return [_storable_value(one, depth=depth + 1) for one in value]
    return {storable(name): _storable_value(one, depth=depth + 1) for name, one in value.items()}


def _holds_unkept(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_holds_unkept, value.values() if isinstance(value, dict) else value))
    return bool(value == UNKEPT)


def _keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_keys, value.values()))
    return sum(map(_keys, value)) if isinstance(value, list) else 0
