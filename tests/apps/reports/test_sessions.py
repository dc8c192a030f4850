"""GET /sessions: by hand, and against a naive count."""

import csv
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from db.events.event import ReceivedEvent
from db.rollups.advance import advance
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles import naive
from tests.oracles.recount import differences

RANGE = {"from": "2026-03-10", "to": "2026-03-11"}


def ask(reporting: httpx.Client, site: str, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get("/sessions", params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


@pytest.fixture
def visits(conn: Connection, shop: str, other: str) -> str:
    """Sessions of ann, bob and eve on 10 March 2026, and of bob on the day before."""
    store_events(
        conn,
        batch(
            received(shop, timestamp="2026-03-10T09:00:00Z", user_id="ann", path="/"),
            received(shop, timestamp="2026-03-10T09:29:59.999Z", user_id="ann", path="/a"),
            received(shop, timestamp="2026-03-10T09:40:00Z", user_id="ann", path="/a", event_type="click"),
            received(shop, timestamp="2026-03-10T10:10:00Z", user_id="ann", path="/b", properties={"plan": "a"}),
            received(shop, timestamp="2026-03-09T23:50:00Z", user_id="bob", path="/"),
            received(shop, timestamp="2026-03-10T00:10:00Z", user_id="bob", path="/a"),
            received(shop, timestamp="2026-03-10T23:59:00Z", user_id="eve", path="/a"),
            received(shop, timestamp="2026-03-11T00:20:00Z", user_id="eve", path="/b", event_type="click"),
            received(shop, timestamp="2026-03-11T00:49:00Z", user_id="eve", path="/c"),
            received(shop, timestamp="2026-03-11T01:19:00Z", user_id="eve", path="/d"),
            received(shop, timestamp="2026-03-10T09:10:00Z", path="/a"),
            received(other, timestamp="2026-03-10T09:10:00Z", user_id="ann", path="/mallory"),
        ),
    )
    return shop


def test_a_session_ends_with_30_minutes_of_silence_and_belongs_to_the_range_that_it_begins_in(
    reporting: httpx.Client, visits: str
) -> None:
    report = ask(reporting, visits, **RANGE)
    assert report["summary"] == {
        "sessions": 3,
        "users": 2,
        "anonymous": 1,
        "bounces": 1,
        "bounce_rate": pytest.approx(1 / 3),
        "views": 2 + 1 + 2,
        "views_per_session": pytest.approx(5 / 3),
        "average_seconds": pytest.approx((2400 + 0 + 3000) / 3),
        "median_seconds": 2400,
    }
    assert report["entry_pages"] == [{"path": path, "sessions": 1} for path in ("/", "/a", "/b")]
    assert report["exit_pages"] == [{"path": path, "sessions": 1} for path in ("/a", "/b", "/c")]


@pytest.mark.parametrize(
    ("condition", "sessions", "bounces", "exit_pages"),
    [
        ("event_type:is:page_view", 3, 2, {"/a": 2, "/b": 1}),
        ("path:is_not:/c", 3, 1, {"/a": 1, "/b": 2}),
        ("user_id:is:ann|bob", 2, 1, {"/a": 1, "/b": 1}),
        ("properties.plan:exists", 1, 1, {"/b": 1}),
        ("path:is:/nowhere", 0, 0, {}),
    ],
)
def test_filters_say_what_sessions_are_made_of(
    reporting: httpx.Client, visits: str, condition: str, sessions: int, bounces: int, exit_pages: dict[str, int]
) -> None:
    report = ask(reporting, visits, **RANGE, filter=condition)
    assert (report["summary"]["sessions"], report["summary"]["bounces"]) == (sessions, bounces)
    assert {page["path"]: page["sessions"] for page in report["exit_pages"]} == exit_pages


def test_where_there_is_nothing_there_are_no_rates(reporting: httpx.Client, shop: str) -> None:
    summary = ask(reporting, shop, **RANGE)["summary"]
    assert {name for name, value in summary.items() if value is None} == {
        "bounce_rate", "views_per_session", "average_seconds", "median_seconds",
    }  # fmt: skip
    assert summary["sessions"] == summary["users"] == summary["anonymous"] == 0


def test_it_lists_as_many_pages_as_asked_for(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits, **RANGE, limit=2)
    assert [page["path"] for page in report["entry_pages"]] == ["/", "/a"]
    assert [page["path"] for page in report["exit_pages"]] == ["/a", "/b"]


def test_it_compares_with_another_time(reporting: httpx.Client, visits: str) -> None:
    report = ask(reporting, visits, **RANGE, compare="previous_period")
    assert (report["compare"]["sessions"], report["compare"]["average_seconds"]) == (1, 1200)


def test_the_summary_comes_as_csv(reporting: httpx.Client, visits: str) -> None:
    parameters = {"site_id": visits, **RANGE, "compare": "previous_period"}
    table = reporting.get("/sessions", params=parameters, headers={"Accept": "text/csv"}).text
    assert table.startswith("sessions,users,anonymous,bounces,bounce_rate,")
    (row,) = csv.DictReader(table.splitlines())
    assert (row["sessions"], row["compare_sessions"], row["compare_average_seconds"]) == ("3", "1", "1200.0")


@pytest.mark.parametrize(
    ("parameters", "field"),
    [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"limit": "all"}, "limit"), ({"steps": 3}, "steps")],
)
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get("/sessions", params={"site_id": "shop", **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_user_whose_only_session_began_before_the_range_is_none_of_it(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    midnight, zone = recent_midnight()
    conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [shop, zone])

    def visit(user: str, *hours: float) -> list[ReceivedEvent]:
        times = [midnight + timedelta(hours=hour) for hour in hours]
        return [received(shop, timestamp=time.isoformat(), user_id=user) for time in times]

    stored = [
        *visit("short", -0.1, 0.1),
        *visit("long", *(-4.5 + step / 3 for step in range(15))),
        *visit("short and back", -0.1, 0.1, 1),
        *visit("long and back", *(-3.2 + step / 3 for step in range(11)), 1.5),
        *visit("new", 1),
    ]
    store_events(conn, batch(*stored))
    for covered in (-1, 0.05, 0.3, 2):
        while advance(conn, "sessions", shop, target=midnight + timedelta(hours=covered), most=3):
            pass
        report = ask(reporting, shop, date=midnight.date().isoformat())
        assert (report["source"], report["summary"]["users"]) == ("rollups", 3)
        check(report, stored, midnight, midnight + timedelta(days=1))


def test_sums_are_of_the_days_of_the_site(conn: Connection, shop: str) -> None:
    conn.execute("insert into sites (site_id, timezone) values (%s, 'Asia/Kolkata')", [shop])
    times = ["2026-03-10T18:29:00Z", "2026-03-10T18:31:00Z", "2026-03-10T19:01:00Z"]
    store_events(conn, batch(*(received(shop, timestamp=time, user_id="ann", path=time[11:]) for time in times)))
    while advance(conn, "sessions", shop, target=datetime(2026, 3, 11, tzinfo=UTC), most=10):
        pass
    assert differences(conn, shop) == {}
    query = "select seconds from session_days where site_id = %s order by day"
    assert conn.execute(query, [shop]).fetchall() == [(120,), (0,)]


def recent_midnight() -> tuple[datetime, str]:
    """The last midnight where that is three hours ago, as maintenance may be so far behind, and its timezone."""
    now = datetime.now(UTC)
    east = (3 - now.hour) % 24
    zone = ZoneInfo(f"Etc/GMT{-(east if east <= 12 else east - 24):+}")
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0), zone.key


def test_a_rollup_that_is_far_behind_is_not_used(conn: Connection, reporting: httpx.Client, visits: str) -> None:
    conn.execute("update sites set sessions_until = '-infinity' where site_id = %s", [visits])
    assert ask(reporting, visits, **RANGE)["source"] == "events"


def check(report: dict[str, Any], stored: list[ReceivedEvent], start: datetime, end: datetime) -> None:
    """Compare a report with a naive count."""
    sessions = naive.sessions(stored, start, end)
    durations = [(session[-1].timestamp - session[0].timestamp).total_seconds() for session in sessions]
    views = sum(one.event_type == "page_view" for session in sessions for one in session)
    bounces = sum(len(session) == 1 for session in sessions)
    assert report["summary"] == {
        "sessions": len(sessions),
        "users": len({session[0].user_id for session in sessions}),
        "anonymous": sum(one.user_id is None for one in naive.within(stored, start, end)),
        "bounces": bounces,
        "bounce_rate": pytest.approx(bounces / len(sessions)) if sessions else None,
        "views": views,
        "views_per_session": pytest.approx(views / len(sessions)) if sessions else None,
        "average_seconds": pytest.approx(statistics.mean(durations)) if sessions else None,
        "median_seconds": pytest.approx(statistics.median(durations)) if sessions else None,
    }
    for name, place in (("entry_pages", 0), ("exit_pages", -1)):
        assert {page["path"]: page["sessions"] for page in report[name]} == Counter(
            session[place].path for session in sessions
        )
