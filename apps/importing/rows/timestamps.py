"""Parse times in files: ISO 8601 with or without an offset, numbers since 1970, or a given format."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, Literal

from apps.importing.files.records import Refused
from db.events.event import LAST_MILLISECOND

Unit = Literal["s", "ms"]

#: The timezone of times without an offset if no option gives one: UTC, but distinguishable from it.
ASSUMED_UTC = timezone(timedelta(0), "UTC, because no other is given")
NO_DAY = "there is no such day"
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
#: Day before month: dates with points are always written in this order.
POINTS = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})(?:,? +(\d\d?):(\d\d)(?::(\d\d))?)?", re.ASCII)
#: The date at the beginning of a time, in either of these forms.
DAY = re.compile(r"(?P<y>\d{4})-?(?P<m>\d\d)-?(?P<d>\d\d)(?!\d)|(?P<D>\d\d?)\.(?P<M>\d\d?)\.(?P<Y>\d{4})", re.ASCII)
MILLISECONDS: dict[Unit, int] = {"s": 1_000, "ms": 1}


class Times:
    """Parses times: a time without an offset is a local time of `zone`, a number is in `unit`s since 1970.

    If `form` is given, a format of datetime.strptime, all times must have it.
    """

    def __init__(self, zone: tzinfo, unit: Unit, form: str | None = None) -> None:
        self.zone = zone
        self.unit = unit
        self.form = form

    def read(self, value: Any) -> datetime | int:
        """The time in UTC, or in milliseconds since 1970. Raises Refused."""
        if isinstance(value, str):
            text = value.strip()
            if not text:
                raise Refused("timestamp is empty")
            if self.form:
                return self._local(_formed(text, self.form))
            return self._number(float(text)) if NUMBER.fullmatch(text) else self._text(text)
        if value is None:
            raise Refused("timestamp is empty")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused("timestamp is neither text nor a number")
        if self.form:
            return self._local(_formed(str(value), self.form))
        return self._number(value)

    def _number(self, number: float) -> int:
        milliseconds = number * MILLISECONDS[self.unit]
        if not 0 <= milliseconds <= LAST_MILLISECOND:
            raise Refused(f"timestamp is a number but not a time since 1970 in {self.unit} (--time-unit)")
        return round(milliseconds)

    def _text(self, text: str) -> datetime:
        if text.endswith(" UTC"):  # BigQuery's format
            text = text[:-4] + "Z"
        try:
            return self._local(_pointed(text) or datetime.fromisoformat(text))
        except ValueError:
            if match := DAY.match(text):
                _check_day(
                    text, year=match["y"] or match["Y"], month=match["m"] or match["M"], day=match["d"] or match["D"]
                )
            raise Refused(
                "timestamp is neither ISO 8601 nor a number: give its format with --time-format, such as "
                "'%m/%d/%Y %H:%M'"
            ) from None

    def _local(self, time: datetime) -> datetime:
        if time.tzinfo is None and self.zone is ASSUMED_UTC:
            return time.replace(tzinfo=ASSUMED_UTC)
        try:
            # A datetime's fold=0 (PEP 495): a local time that occurs twice is the first of the two; one that a clock
            # change skips keeps the offset from before the change.
            return (time if time.tzinfo else time.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Refused("timestamp is outside the years 1 to 9999 in UTC") from None


@lru_cache(maxsize=1024)
def _formed(text: str, form: str) -> datetime:
    """Parse a time with a format. Cached, because neighbouring rows often have the same time."""
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 (the caller knows the timezone)
    except ValueError as error:
        if str(error).startswith("day "):  # the text matches the format
            raise Refused(NO_DAY, value=text) from None
        raise Refused(f"timestamp does not match --time-format: {form}") from None


def _check_day(text: str, *, year: str, month: str, day: str) -> None:
    """Raise Refused if the month does not have this day, or if neither number is a month. Other faults may be another
    order, which needs a format."""
    if int(month) > 12 and int(day) > 12:
        raise Refused(NO_DAY, value=text)
    months_days = monthrange(int(year), int(month))[1] if int(year) and 1 <= int(month) <= 12 else 31
    if months_days < int(day) <= 31:
        raise Refused(NO_DAY, value=text)


def _pointed(text: str) -> datetime | None:
    """Parse a time such as 13.11.2026 20:29:46; None for another format."""
    match = POINTS.fullmatch(text)
    if not match:
        return None
    day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 (the caller knows the timezone)
