"""Bytes that are not UTF-8, which become U+FFFD: which texts had some."""

from itertools import chain
from typing import Any

import msgspec

#: Stands for each byte that is not UTF-8 until `without_ill` makes it U+FFFD, so that a text that lost bytes is told
#: from others. It is a noncharacter, which no text should have, as is what a sent U+FFFD is meanwhile.
ILL, SENT = "\ufdd0", "\ufdd1"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

#: Levels that are looked at: far more than properties may have, far fewer than Python can take.
MAX_DEPTH = 64


def holds_ill(value: Any, depth: int = 0) -> bool:
    """Whether a text, or one within a list or an object, held bytes that are not UTF-8."""
    if isinstance(value, str):
        return ILL in value
    if depth > MAX_DEPTH or not isinstance(value, dict | list):  # no property may be as deep as that
        return False
    parts = chain(value, value.values()) if isinstance(value, dict) else value
    return any(holds_ill(one, depth + 1) for one in parts)


def without_ill(value: Any, depth: int = 0) -> Any:
    """The value with U+FFFD for each byte that was not UTF-8."""
    if isinstance(value, str):
        return value.replace(ILL, REPLACEMENT)
    if depth > MAX_DEPTH or not isinstance(value, dict | list):
        return value
    if isinstance(value, dict):
        return {without_ill(name): without_ill(one, depth + 1) for name, one in value.items()}
    return [without_ill(one, depth + 1) for one in value]


def is_utf8(raw: bytes | msgspec.Raw) -> bool:
    try:
        bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return True


def text_of(raw: bytes | msgspec.Raw) -> str:
    """The bytes as text, with ILL for what is not UTF-8."""
    given = bytes(raw)
    try:
        return given.decode()
    except UnicodeDecodeError:
        text = given.replace(REPLACEMENT.encode(), SENT.encode()).decode(errors="replace")
        return text.replace(REPLACEMENT, ILL).replace(SENT, REPLACEMENT)
