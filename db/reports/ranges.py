"""The time that a report covers: from what was asked to two instants, in the timezone that its days are meant in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from psycopg import AsyncClientCursor, AsyncConnection
from psycopg.errors import InvalidParameterValue
from psycopg.rows import dict_row

from db.pools import BEGIN
from db.queries import QUERIES
from db.timezones import timezones

Period = Literal["today", "yesterday", "7d", "28d", "30d", "91d", "month", "6mo", "12mo", "year", "all"]
Comparison = Literal["previous_period", "previous_year"]

Moment = TypeVar("Moment", bound=date)

#: The range of a report that is asked for without one.
DEFAULT: Period = "30d"


class BadRange(ValueError):
    """What was asked for is no range. `args`: the parameter, what is wrong with it, and what is allowed."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A range as it was asked for: two days, two instants, or a period."""

    days: tuple[date, date | None] | None = None
    """The first day, and the day after the last; None: after today."""
    instants: tuple[datetime, datetime] | None = None
    period: Period | None = None
    timezone: str | None = None


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The time from `start` to before `end`. Its instants are in UTC: there they can be compared, subtracted, found.

    Python does that by the clock on the wall where two times share a timezone, and finds no time that a clock shows
    twice equal to one of another timezone (PEP 495). What was read is local only to be shown.
    """

    timezone: str
    site_timezone: str
    first_day: date | None
    """The first day and the day after the last, where the range is one of days of `timezone`."""
    end_day: date | None
    start: datetime
    end: datetime
    hours_fit: bool
    """Whether the site's rollups by hour, and by day, hold exactly this range."""
    days_fit: bool
    path_spans_until: date | None = None
    """Before this day of the site, path_spans has the sums of its days; None where the range is not one of days."""
    user_spans_until: date | None = None
    """The same of user_spans."""
    kept_from: datetime | None = None
    """From when on events are kept, where the site had events in the range that are no longer kept."""

    @property
    def zone(self) -> ZoneInfo:
        """What instants are shown in: the timezone, or UTC where Python does not know it."""
        return ZoneInfo(self.timezone if self.timezone in timezones() else "UTC")

    def local(self, moment: datetime) -> datetime:
        """This instant with the offset of the report's timezone."""
        return moment.astimezone(self.zone)

    def begin(self, bucket: datetime, interval: str) -> datetime:
        """The same of a bucket's begin; of a midnight that comes twice PostgreSQL names the second."""
        at = self.local(bucket)
        return at if interval in ("minute", "hour") else at.replace(fold=0)

    def compared(self, comparison: Comparison) -> Asked:
        """The range to compare this one with."""
        if self.first_day and self.end_day:
            days = (
                _earlier(self.first_day, self.end_day, comparison),
                _earlier_end(self.first_day, self.end_day, comparison),
            )
            return Asked(days=days, timezone=self.timezone)
        length = self.end - self.start
        if comparison == "previous_period":
            return Asked(instants=(self.start - length, self.start), timezone=self.timezone)
        start, end = (_year_before(self.local(moment)).astimezone(UTC) for moment in (self.start, self.end))
        # A year before, the time may have been one that is skipped or repeated, or on a day that was not.
        return Asked(instants=(start, end if end > start else start + length), timezone=self.timezone)


async def begin(conn: AsyncConnection, site_id: str, asked: Asked, *, now: datetime) -> tuple[datetime, Range]:
    """As db.pools.begin_snapshot, and the range that was asked for, in the same message. Raises BadRange."""
    # Several statements are one message only with their values put into the text, as the client library does here.
    async with AsyncClientCursor(conn, row_factory=dict_row) as cur:
        with _timezone_known(asked):
            await cur.execute(BEGIN.encode() + b";" + QUERIES["reports/range"], _values(site_id, asked, now))
        while cur.description is None:
            cur.nextset()
        moment: datetime = (await cur.fetchone() or {"now": now})["now"]
        cur.nextset()
        return moment.astimezone(UTC), _range(await cur.fetchone())


async def resolve(conn: AsyncConnection, site_id: str, asked: Asked, *, now: datetime) -> Range:
    """The range that was asked for, of this site. Raises BadRange where it is empty or its timezone unknown."""
    async with conn.cursor(row_factory=dict_row) as cur:
        with _timezone_known(asked):
            await cur.execute(QUERIES["reports/range"], _values(site_id, asked, now))
        return _range(await cur.fetchone())


def _values(site_id: str, asked: Asked, now: datetime) -> dict[str, Any]:
    first_day, end_day = asked.days or (None, None)
    start, end = asked.instants or (None, None)
    return {
        "site_id": site_id,
        "now": now,
        "timezone": asked.timezone,
        "first_day": first_day,
        "end_day": end_day,
        "start": start,
        "end": end,
        "period": asked.period,
    }


def _range(row: dict[str, Any] | None) -> Range:
    given = row or {}
    instants = {name: value.astimezone(UTC) for name, value in given.items() if isinstance(value, datetime)}
    found = Range(**given | instants)
    if found.end <= found.start:
        raise BadRange("to", "is not after `from`", "a day or an instant after `from`, which is itself not covered")
    return found


@contextmanager
def _timezone_known(asked: Asked) -> Iterator[None]:
    """Raise BadRange for a timezone of Python's that PostgreSQL does not know: each may have a list of its own."""
    try:
        yield
    except InvalidParameterValue:
        raise BadRange("timezone", f"{asked.timezone!r} is unknown", "a timezone that PostgreSQL knows") from None


def _earlier(first: date, end: date, comparison: Comparison) -> date:
    return first - (end - first) if comparison == "previous_period" else _year_before(first)


def _earlier_end(first: date, end: date, comparison: Comparison) -> date:
    if comparison == "previous_period":
        return first
    return _year_before(end - timedelta(days=1)) + timedelta(days=1)


def _year_before(moment: Moment) -> Moment:
    """The same day a year before; of 29 February, 28 February."""
    try:
        return moment.replace(year=moment.year - 1)
    except ValueError:
        return moment.replace(year=moment.year - 1, day=28)
