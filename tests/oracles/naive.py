"""Random events, and counting them in plain Python: what the reports are compared with.

`histories()` makes lists of events around midnights and changes of clocks; `kept(history)` stores one on a new site.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any, get_args
from uuid import uuid4
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from db.events.event import ReceivedEvent
from db.rollups.advance import Rollup, advance
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

#: Timezones with their peculiarities: changes of clocks by an hour and by half of one, odd offsets, far east and west.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Kiritimati")

#: The clocks of Berlin, New York and Lord Howe are changed in these hours (UTC), others are midnights somewhere.
MOMENTS = [
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 3, 28, 23, tzinfo=UTC),
    datetime(2026, 3, 31, 18, 30, tzinfo=UTC),
    datetime(2026, 3, 30, tzinfo=UTC),
]

times = st.builds(
    lambda moment, seconds: moment + timedelta(seconds=seconds),
    st.sampled_from(MOMENTS),
    st.integers(-7_200, 7_200) | st.sampled_from([-3_600, -1, 0, 1, 1_800, 3_599, 3_600, 86_400, -86_400]),
)

events = st.fixed_dictionaries(
    {
        "event_type": st.sampled_from(["page_view", "page_view", "click", "purchase"]),
        "path": st.sampled_from(["/", "/a", "/products/1", "/products/2", "/products/*", "/ä.b"]),
        "user_id": st.sampled_from([None, "ann", "bob", "eve", "zoë"]),
        "timestamp": times,
        "properties": st.sampled_from(
            [None, {}, {"plan": "free"}, {"plan": "paid", "seats": 3}, {"seats": 12.5}, {"deep": {"a": ["x", "y"]}}]
        ),
    }
)


def histories(*, most: int = 40) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lists of events of one site."""
    return st.lists(events, max_size=most)


def kept(
    conn: Connection, history: list[dict[str, Any]], *, timezone: str = "UTC", flushes: Random | None = None
) -> tuple[str, list[ReceivedEvent]]:
    """Store these events on a new site of that timezone, out of order and some twice; the site and the events.

    With `flushes` they come in an order of chance, in several batches. Meanwhile the rollups that are written later
    move on, once or twice, so that some are too late for them.
    """
    site = f"naive-{uuid4().hex[:12]}"
    conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [site, timezone])
    given = [received(site, **one | {"timestamp": one["timestamp"].isoformat()}) for one in history]
    batches = [given[::2], given[::-1]]
    if flushes:
        shuffled = flushes.sample(given, len(given))
        batches = [shuffled[start : start + 4] for start in range(0, len(shuffled), 4)]
    targets = [datetime(2026, 4, 1, 12, tzinfo=UTC), datetime.now(UTC)][: 1 + len(given) % 2]
    for again in (*batches, given[::3]):
        if again:
            store_events(conn, batch(*again))
        if targets:
            target = targets.pop(0)
            for rollup in get_args(Rollup):
                while advance(conn, rollup, site, target=target):
                    pass
    return site, given


def bucket(moment: datetime, interval: str, timezone: str) -> datetime:
    """The begin of the minute, hour, day, week (from Monday) or month that a moment is in, by the clocks of a place."""
    zone = ZoneInfo(timezone)
    local = moment.astimezone(zone)
    if interval == "minute":
        return local.replace(second=0, microsecond=0)
    if interval == "hour":
        # By the time that has passed: a half hour that is repeated, as on Lord Howe Island, is a bucket of its own.
        return moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if interval == "week":
        return (day.replace(tzinfo=None) - timedelta(days=day.weekday())).replace(tzinfo=zone)
    return day.replace(day=1) if interval == "month" else day


def within(given: list[ReceivedEvent], start: datetime, end: datetime) -> list[ReceivedEvent]:
    """The events of a half-open range."""
    return [one for one in given if start <= one.timestamp < end]


def sessions(given: list[ReceivedEvent], start: datetime, end: datetime) -> list[list[ReceivedEvent]]:
    """The sessions of all users that begin in a half-open range: their events up to 30 minutes of silence."""
    found: list[list[ReceivedEvent]] = []
    for user in {one.user_id for one in given if one.user_id}:
        events = sorted((one for one in given if one.user_id == user), key=lambda one: (one.timestamp, one.path))
        found.append(events[:1])
        for before, one in pairwise(events):
            if one.timestamp - before.timestamp >= timedelta(minutes=30):
                found.append([])
            found[-1].append(one)
    return [session for session in found if start <= session[0].timestamp < end]


def midnight(year: int, month: int, day: int, timezone: str) -> datetime:
    """The begin of a day at a place."""
    return datetime(year, month, day, tzinfo=ZoneInfo(timezone))
