"""GET /funnel against all ways through the events, tried one by one."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from apps.reporting import ReportingApp
from apps.reporting_resources import ReportingResources
from db.events.event import ReceivedEvent
from db.queries import QUERIES
from db.settings import load
from tests.apps.reports.test_funnel import ask, users
from tests.builders.rewriting import cursor_with
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, histories, kept, midnight
from tests.servers.key import AUTHORIZED

#: It cuts the users of a site into parts, if they are many.
SHARES = QUERIES["reports/funnel_shares"]
assert b"20000" in SHARES

#: Steps, and the events that are meant.
STEPS: dict[str, Callable[[ReceivedEvent], bool]] = {
    "page_view": lambda one: one.event_type == "page_view",
    "click|purchase": lambda one: one.event_type in {"click", "purchase"},
    "purchase": lambda one: one.event_type == "purchase",
    "page_view;path:is:/products/*": lambda one: (
        one.event_type == "page_view" and one.path.startswith("/products/")
    ),
    "click;path:is_not:/a;properties.plan:missing": lambda one: (
        one.event_type == "click" and one.path != "/a" and "plan" not in (one.properties or {})
    ),
}  # fmt: skip

WINDOWS = {"1m": 60, "90m": 5_400, "1d": 86_400, "30d": 30 * 86_400}


def ways(events: list[ReceivedEvent], steps: list[str], longest: timedelta) -> Iterator[tuple[datetime, ...]]:
    """The times of all ways through the first steps, from one step to all of them, that a user's events allow."""

    def onward(way: tuple[datetime, ...]) -> Iterator[tuple[datetime, ...]]:
        if way:
            yield way
        if len(way) < len(steps):
            for one in events:
                late = way and not way[-1] < one.timestamp <= way[0] + longest
                if not late and STEPS[steps[len(way)]](one):
                    yield from onward((*way, one.timestamp))

    return onward(())


@pytest.fixture(scope="module")
def in_shares(database_url: str) -> Iterator[httpx.Client]:
    """A client of a reporting app for which every site has many users."""
    resources = ReportingResources(load())
    assert isinstance(resources.pool.kwargs, dict)
    resources.pool.kwargs["cursor_factory"] = cursor_with({SHARES: SHARES.replace(b"20000", b"1")})
    with TestClient(ReportingApp(resources)) as client:
        client.headers.update(AUTHORIZED)
        yield client


@examples(30)
@given(
    histories(),
    st.sampled_from(ZONES),
    st.lists(st.sampled_from(sorted(STEPS)), min_size=2, max_size=4),
    st.sampled_from(sorted(WINDOWS)),
    st.booleans(),
)
def test_it_equals_trying_all_ways(
    conn: Connection,
    reporting: httpx.Client,
    in_shares: httpx.Client,
    history: Any,
    zone: str,
    steps: list[str],
    window: str,
    has_many: bool,
) -> None:
    site, stored = kept(conn, history, timezone=zone)
    client = in_shares if has_many else reporting
    report = ask(client, site, steps, **{"from": "2026-03-28", "to": "2026-04-05"}, window=window)
    start, end = midnight(2026, 3, 28, zone), midnight(2026, 4, 5, zone)
    took: list[list[float]] = [[] for _ in steps]
    for user in {one.user_id for one in stored} - {None}:
        events = [one for one in stored if one.user_id == user]
        possible = [way for way in ways(events, steps, timedelta(seconds=WINDOWS[window])) if start <= way[0] < end]
        for number, times in enumerate(took):
            if ends := [way[-1] for way in possible if len(way) == number + 1]:
                befores = [way[-2:][0] for way in possible if len(way) == number + 1 and way[-1] == min(ends)]
                times.append((min(ends) - max(befores)).total_seconds())
    assert users(report) == [len(times) for times in took]
    for step, times in zip(report["steps"][1:], took[1:], strict=True):
        assert step["median_seconds"] == (pytest.approx(median(times)) if times else None)
    anonymous = [one for one in stored if one.user_id is None and start <= one.timestamp < end]
    assert [step["anonymous"] for step in report["steps"]] == [
        sum(1 for one in anonymous if STEPS[step](one)) for step in steps
    ]
