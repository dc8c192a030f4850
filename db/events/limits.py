"""The limits of an event's fields, which make every accepted event storable.

Lengths are in bytes because a b-tree entry may hold at most 2,704
bytes (https://www.postgresql.org/docs/current/btree.html), and U+0000 is refused because PostgreSQL's text cannot
hold it.
"""

from typing import Any

import msgspec

MAX_BYTES = {"site_id": 255, "event_type": 100, "path": 2_048, "user_id": 255, "visitor_id": 255}
MAX_PROPERTIES_BYTES = 32 * 1024
MAX_PROPERTIES_DEPTH = 8
MAX_PROPERTIES_KEYS = 1_000

_encode = msgspec.json.Encoder().encode


def text_fault(name: str, text: str) -> str | None:
    """Why PostgreSQL could not store this text in field `name`, or None."""
    if "\0" in text:
        return "holds U+0000"
    if (size := len(text.encode())) > MAX_BYTES[name]:
        return f"is {size} bytes long"
    return None


def properties_fault(properties: dict[str, Any]) -> str | None:
    """Why these properties are over a limit, or None."""
    encoded = _encode(properties)
    # Nothing is deeper than it has brackets, or has more keys than colons: most properties need no closer look.
    if (
        len(encoded) <= MAX_PROPERTIES_BYTES
        and encoded.count(b"{") + encoded.count(b"[") <= MAX_PROPERTIES_DEPTH
        and encoded.count(b":") <= MAX_PROPERTIES_KEYS
        and b"\\u0000" not in encoded
    ):
        return None
    keys = depth = 0
    level: list[dict[str, Any] | list[Any]] = [properties]
    while level:
        depth += 1
        if depth > MAX_PROPERTIES_DEPTH:
            return f"are nested more than {MAX_PROPERTIES_DEPTH} levels deep"
        below = []
        for container in level:
            if isinstance(container, dict):
                keys += len(container)
                values = [*container, *container.values()]
            else:
                values = container
            for value in values:
                if isinstance(value, str):
                    if "\0" in value:
                        return "hold U+0000"
                elif isinstance(value, (dict, list)):
                    below.append(value)
        level = below
    if keys > MAX_PROPERTIES_KEYS:
        return f"have {keys} keys"
    if len(encoded) > MAX_PROPERTIES_BYTES:
        return f"are {len(encoded)} bytes long"
    return None
