"""Numbers of JSON: `decoder(kind)` decodes as `msgspec.json.Decoder(kind)` does, in time proportional to the length."""

import math
from typing import Any

import msgspec


def decoder(kind: Any = Any) -> msgspec.json.Decoder[Any]:
    """A decoder of values of this type. Raises ValueError for a number that is out of range.

    msgspec's own reading of most numbers such as 1e300 takes some hundred times as long as Python's.
    """
    return msgspec.json.Decoder(kind, float_hook=_number)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("Number out of range")
    return number
