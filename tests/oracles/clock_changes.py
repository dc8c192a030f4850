"""Each way in which clocks were or will be changed, everywhere, in the last twenty years and the next two."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from tests.conftest import Connection


class Change(NamedTuple):
    """Clocks that are changed, from one offset to another, at this instant."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def kind(self) -> tuple[object, ...]:
        """What makes it another one for us than a change of the same kind: not its year."""
        local = self.at + self.after
        return (self.before, self.after, self.at.time(), local.day == 1, local.weekday() == 0)


def changes(conn: Connection, now: datetime) -> list[Change]:
    """The latest change of each kind, as far as PostgreSQL's list of timezones agrees with Python's about it."""
    known = {name for (name,) in conn.execute("select name from pg_timezone_names")} & available_timezones()
    found = {
        change.kind: change
        for name in sorted(known)
        for change in _changes(name, now - timedelta(days=20 * 365.25), now + timedelta(days=2 * 365.25))
    }
    offsets = conn.execute(
        """
        select number
        from unnest(%s::text[], %s::timestamptz[], %s::interval[], %s::interval[]) with ordinality
            c (zone, at, before, after, number)
        where (at - interval '1 second') at time zone zone = (at - interval '1 second') at time zone 'UTC' + before
            and at at time zone zone = at at time zone 'UTC' + after
        """,
        [list(column) for column in zip(*found.values(), strict=True)],
    )
    agreed = {number for (number,) in offsets}
    return [change for number, change in enumerate(found.values(), 1) if number in agreed]


def _changes(name: str, start: datetime, end: datetime) -> Iterator[Change]:
    zone = ZoneInfo(name)

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(zone).utcoffset() or timedelta()

    moment = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while moment < end:
        later = moment + timedelta(days=14)
        if offset(moment) != offset(later):
            low, high = moment, later
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // timedelta(minutes=2) * timedelta(minutes=1)
                low, high = (middle, high) if offset(middle) == offset(moment) else (low, middle)
            yield Change(name, high, offset(moment), offset(later))
        moment = later
