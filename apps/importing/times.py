"""Times as files write them: ISO 8601 with or without an offset, or numbers since 1970."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from apps.importing.records import Refused
from db.event import LAST_MILLISECOND

Unit = Literal["s", "ms"]

NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
MILLISECONDS: dict[Unit, int] = {"s": 1_000, "ms": 1}


class Times:
    """Reads times: one without an offset is a local time of `zone`, a number counts `unit`s since 1970."""

    def __init__(self, zone: tzinfo, unit: Unit) -> None:
        self.zone = zone
        self.unit = unit

    def read(self, value: Any) -> datetime | int:
        """The time in UTC or in milliseconds. Raises Refused."""
        if isinstance(value, str):
            text = value.strip()
            if not text:
                raise Refused("timestamp is empty")
            return self._number(float(text)) if NUMBER.fullmatch(text) else self._text(text)
        if value is None:
            raise Refused("timestamp is empty")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused("timestamp is neither text nor a number")
        return self._number(value)

    def _number(self, number: float) -> int:
        milliseconds = number * MILLISECONDS[self.unit]
        if not 0 <= milliseconds <= LAST_MILLISECOND:
            raise Refused(f"timestamp is a number that is no time since 1970 in {self.unit} (--time-unit)")
        return round(milliseconds)

    def _text(self, text: str) -> datetime:
        if text.endswith(" UTC"):  # as BigQuery writes it
            text = text[:-4] + "Z"
        try:
            time = datetime.fromisoformat(text)
            # A local time that occurs twice is the first of the two, one that is skipped is read as if it was not:
            # that is what a datetime's fold=0 means (PEP 495).
            return (time if time.tzinfo else time.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Refused("timestamp is neither ISO 8601 nor a number") from None
