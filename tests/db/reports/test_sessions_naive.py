"""GET /sessions against naive counts, from events and from rollups that are written later."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from apps.cli import main
from db.rollups.advance import advance
from db.store.events import store_events
from tests.apps.reports.test_sessions import ask, check, recent_midnight
from tests.builders.factories import batch, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles import naive
from tests.oracles.recount import differences


@examples(25)
@given(
    naive.histories(),
    naive.times,
    st.sampled_from([timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=2), timedelta(days=1)]),
    st.booleans(),
)
@example([], naive.MOMENTS[0], timedelta(days=1), False)
def test_it_equals_a_naive_count(
    conn: Connection, reporting: httpx.Client, history: Any, start: Any, length: timedelta, views_only: bool
) -> None:
    site, stored = naive.kept(conn, history)
    parameters = {"from": start.isoformat(), "to": (start + length).isoformat(), "limit": 100}
    if views_only:
        parameters["filter"] = "event_type:is:page_view"
        stored = [one for one in stored if one.event_type == "page_view"]
    report = ask(reporting, site, **parameters)
    check(report, stored, start, start + length)


#: Events of the last hours, so that the rollup is of use to a report: its time in minutes, its user and its path.
recent = st.lists(
    st.tuples(
        st.integers(0, 240) | st.sampled_from([29, 30, 31, 59, 60]),
        st.sampled_from([None, "ann", "bob"]),
        st.sampled_from(["/", "/a", "/b"]),
        st.sampled_from(["page_view", "click"]),
    ),
    max_size=25,
)


@examples(20)
@given(recent, recent, st.integers(0, 250), st.integers(1, 5), st.integers(0, 3), st.integers(1, 2))
def test_the_rollups_equal_a_naive_count_whenever_events_arrive_and_however_far_they_are(
    conn: Connection, reporting: httpx.Client, early: Any, late: Any, covered: int, most: int, first: int, hours: int
) -> None:
    site = f"sessions-{uuid4().hex[:12]}"
    midnight, zone = recent_midnight()
    begin = midnight - timedelta(hours=2)
    conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [site, zone])
    stored = []
    for events in (early, late):
        arrived = [
            received(
                site,
                timestamp=(begin + timedelta(minutes=minutes)).isoformat(),
                user_id=user,
                path=path,
                event_type=event_type,
            )
            for minutes, user, path, event_type in events
        ]
        stored += arrived
        if arrived:
            store_events(conn, batch(*arrived))
        if events is early:
            while advance(conn, "sessions", site, target=begin + timedelta(minutes=covered), most=most):
                pass
    if stored:
        assert differences(conn, site) == {}
    hour, day = timedelta(hours=1), timedelta(days=1)
    for start, end in (
        (begin + first * hour, begin + (first + hours) * hour),
        (midnight - day, midnight),
        (midnight, midnight + day),
        (midnight - day, midnight + day),
    ):
        asked = (start.date(), end.date()) if end - start >= day else (start, end)
        report = ask(reporting, site, **{"from": asked[0].isoformat(), "to": asked[1].isoformat(), "limit": 100})
        assert report["source"] == "rollups"
        check(report, stored, start, end)
    assert CliRunner().invoke(main, ["verify", "--site", site]).exit_code == 0
