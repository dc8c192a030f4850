"""The time that a report covers: from what is requested to two instants, in the timezone that its days are meant in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from psycopg import AsyncClientCursor, AsyncConnection
from psycopg.errors import InvalidParameterValue
from psycopg.rows import dict_row

from db.connections.pools import BEGIN
from db.events.errors import BadParameter
from db.queries import QUERIES
from db.sites.timezones import timezones

Period = Literal[
    "today", "yesterday", "7d", "14d", "28d", "30d", "60d", "90d", "91d",
    "week", "month", "quarter", "6mo", "12mo", "year", "all",
]  # fmt: skip
Comparison = Literal["previous_period", "previous_week", "same_weekday", "previous_year"]

Moment = TypeVar("Moment", bound=date)

#: The range of a report that is requested without one.
DEFAULT: Period = "30d"


class RequestedRange(msgspec.Struct, frozen=True, kw_only=True):
    """A range as it is requested: two days, two instants, or a period."""

    days: tuple[date, date | None] | None = None
    """The first day, and the day after the last; None: after today."""
    instants: tuple[datetime, datetime] | None = None
    period: Period | None = None
    timezone: str | None = None
    begins_with: date | None = None
    """The day that the instants begin with, if they do."""


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
    begins_with: date | None = None
    """The day that a range of instants begins with, where that is known."""

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

    def compared(self, comparison: Comparison, *, now: datetime) -> RequestedRange:
        """The range to compare this one with. Of one that is not over yet, what lies before the same time then: today
        until now is compared with yesterday until this time, and not with all of yesterday."""
        first, over = None, not self.start < now < self.end
        until = self.end if over else now
        if self.first_day and self.end_day:
            shift = _shift(comparison, self.end_day - self.first_day)
            days = shift(self.first_day), shift(self.end_day - timedelta(days=1)) + timedelta(days=1)
            if over or self.timezone not in timezones():
                return RequestedRange(days=days, timezone=self.timezone)
            first = days[0]
            start, end = datetime.combine(days[0], time.min, self.zone), shift(self.local(until))
        elif comparison == "previous_period":
            length = self.end - self.start
            start, end = self.start - length, until - length
        else:
            shift = _shift(comparison, self.end - self.start)
            start, end = shift(self.local(self.start)), shift(self.local(until))
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        # Then, the time may have been one that is skipped or repeated, or on a day that was not.
        return RequestedRange(
            instants=(start, end if end > start else start + (until - self.start)),
            timezone=self.timezone,
            begins_with=first,
        )


async def begin(
    conn: AsyncConnection, site_id: str, requested: RequestedRange, *, now: datetime
) -> tuple[datetime, Range]:
    """As pools.begin_snapshot, and the requested range, in the same message. Raises BadParameter."""
    # Several statements are one message only with their values put into the text, as the client library does here.
    async with AsyncClientCursor(conn, row_factory=dict_row) as cur:
        with _timezone_known(requested):
            await cur.execute(BEGIN.encode() + b";" + QUERIES["reports/range"], _values(site_id, requested, now))
        while cur.description is None:
            cur.nextset()
        moment: datetime = (await cur.fetchone() or {"now": now})["now"]
        cur.nextset()
        return moment.astimezone(UTC), _range(await cur.fetchone())


async def resolve(conn: AsyncConnection, site_id: str, requested: RequestedRange, *, now: datetime) -> Range:
    """The requested range of this site. Raises BadParameter where it is empty or its timezone unknown."""
    async with conn.cursor(row_factory=dict_row) as cur:
        with _timezone_known(requested):
            await cur.execute(QUERIES["reports/range"], _values(site_id, requested, now))
        found = _range(await cur.fetchone())
        return msgspec.structs.replace(found, begins_with=requested.begins_with) if requested.begins_with else found


def _values(site_id: str, requested: RequestedRange, now: datetime) -> dict[str, Any]:
    first_day, end_day = requested.days or (None, None)
    start, end = requested.instants or (None, None)
    return {
        "site_id": site_id,
        "now": now,
        "timezone": requested.timezone,
        "first_day": first_day,
        "end_day": end_day,
        "start": start,
        "end": end,
        "period": requested.period,
    }


def _range(row: dict[str, Any] | None) -> Range:
    given = row or {}
    instants = {name: value.astimezone(UTC) for name, value in given.items() if isinstance(value, datetime)}
    found = Range(**given | instants)
    if found.end <= found.start:
        raise BadParameter("to", "is not after `from`", "a day or an instant after `from`, which is itself not covered")
    return found


@contextmanager
def _timezone_known(requested: RequestedRange) -> Iterator[None]:
    """Raise BadParameter for a timezone of Python's that PostgreSQL does not know: each may have a list of its own."""
    try:
        yield
    except InvalidParameterValue:
        raise BadParameter(
            "timezone", f"{requested.timezone!r} is unknown", "a timezone that PostgreSQL knows"
        ) from None


class Shift(Protocol):
    """From a day, or a time by the clock on the wall, to the one that it is compared with."""

    def __call__(self, moment: Moment, /) -> Moment: ...


def _shift(comparison: Comparison, length: timedelta) -> Shift:
    """How far back a range of this length is compared: no further than needed for the two not to overlap."""
    if comparison == "previous_year":
        return _year_before
    weeks = timedelta(weeks=-(-length // timedelta(weeks=1)))
    if comparison == "same_weekday" and weeks > timedelta(weeks=1):
        weeks = max(weeks, timedelta(weeks=4))
    back = length if comparison == "previous_period" else weeks

    def shift(moment: Moment, /) -> Moment:
        return moment - back

    return shift


def _year_before(moment: Moment, /) -> Moment:
    """The same day a year before; of 29 February, 28 February."""
    try:
        return moment.replace(year=moment.year - 1)
    except ValueError:
        return moment.replace(year=moment.year - 1, day=28)
