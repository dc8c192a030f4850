"""Days on which nobody is known, or all are, or next to nothing happens: by rollups and by events the same."""

from datetime import date
from itertools import product
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.db.reports.test_odd_days import DAY, OF_EVENTS, ask


@pytest.mark.some(6)
@pytest.mark.parametrize("interval", ["hour", "day", "week", "month"])
@pytest.mark.parametrize(
    ("users", "types"),
    [([None], ["page_view"]), (["ann"], ["page_view"]), ([None, "ann"], ["click"]), ([], [])],
    ids=["nobody is known", "all are known", "one type only", "nothing"],
)
def test_days_of_some_are_counted_like_others(
    reporting: httpx.Client, conn: Connection, shop: str, interval: str, users: list[Any], types: list[str]
) -> None:
    """Also beside days on which there are others."""
    days = [date(2026, 3, 2) + n * DAY for n in range(6)]
    moments = [f"{day}T12:00:00Z" for day in days]
    given = [
        received(shop, timestamp=moment, user_id=user, event_type=name)
        for at, moment in enumerate(moments)
        for user in (users if at % 2 else [None, "bob"])
        for name in (types if at % 2 else ["page_view", "purchase"])
    ]
    store_events(conn, batch(*given))
    for metric, first in product(("events", "views", "users"), days):
        for last in (first, days[-1]):
            asked = {"metric": metric, "interval": interval}
            answers = [
                ask(reporting, "timeseries", shop, first, last, **asked, **more)["points"] for more in ({}, OF_EVENTS)
            ]
            assert answers[0] == answers[1], (metric, first, last)
            of_days = [one for one in given if first <= one.timestamp.date() <= last]
            if metric == "users":
                assert sum(one["anonymous"] for one in answers[0]) == sum(not one.user_id for one in of_days)
    for report, parameters in (
        ("breakdown", {"dimension": "event_type", "metrics": "events,users"}),
        ("breakdown", {"dimension": "path", "metrics": "events,users"}),
        ("retention", {}),
        ("sessions", {}),
        ("revenue", {"interval": "day"}),
    ):
        for first, last in ((days[1], days[1]), (days[0], days[-1])):
            whole = [
                ask(reporting, report, shop, first, last, **parameters, **more) | {"source": None, "as_of": None}
                for more in ({}, OF_EVENTS)
            ]
            assert whole[0] == whole[1], (report, first)
