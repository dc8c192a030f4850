"""The totals of all days that are summed up: that reports of all time use them, and that they are right."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.rollups.advance import advance
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences

BEGIN = datetime(2026, 1, 20, 12, tzinfo=UTC)


@pytest.fixture
def visits(conn: Connection, shop: str) -> str:
    """One view on each of 80 days from 20 January 2026 on, of which those before 6 April are summed up; each third is
    of nobody.
    """
    views = [
        received(
            shop,
            timestamp=(BEGIN + timedelta(days=n)).isoformat(),
            path=f"/{n % 3}",
            user_id=f"user {n}" if n % 3 else None,
        )
        for n in range(80)
    ]
    store_events(conn, batch(*views))
    while advance(conn, "path_spans", shop, target=datetime(2026, 4, 8, tzinfo=UTC)):
        pass
    return shop


def of_site(reporting: httpx.Client, site: str) -> dict[str, Any]:
    (found,) = reporting.get("/sites", params={"search": site}).json()["sites"]
    return {name: found[name] for name in ("events", "anonymous", "first_event", "last_event")}


def test_stats_of_all_time_are_the_totals_and_the_days_since(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    assert reporting.get("/stats", params={"site_id": visits}).json()["total_views"] == 80
    conn.execute("update path_totals set events = events * 10 where site_id = %s", [visits])
    assert reporting.get("/stats", params={"site_id": visits}).json()["total_views"] == 76 * 10 + 4


def test_sites_are_listed_by_the_totals_and_the_hours_since(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    found = of_site(reporting, visits)
    assert found == {
        "events": 80,
        "anonymous": 27,
        "first_event": "2026-01-20T12:00:00Z",
        "last_event": "2026-04-09T12:00:00Z",
    }
    conn.execute("update event_totals set events = events * 10, anonymous = 0 where site_id = %s", [visits])
    assert of_site(reporting, visits) == found | {"events": 76 * 10 + 4, "anonymous": 1}


def test_a_site_of_which_all_is_summed_up_has_a_last_event(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    found = of_site(reporting, visits)
    while advance(conn, "path_spans", visits, target=datetime(2027, 1, 1, tzinfo=UTC)):
        pass
    assert of_site(reporting, visits) == found
    assert differences(conn, visits) == {}


def test_late_events_are_added(conn: Connection, visits: str) -> None:
    late = [
        received(visits, timestamp=f"2026-{moment}Z", path="/late", user_id=user)
        for moment in ("01-02T00:00:00", "03-05T23:59:59", "04-05T23:59:59")
        for user in (None, "ann")
    ]
    store_events(conn, batch(*late, received(visits, timestamp="2026-04-06T00:00:00Z")))
    store_events(conn, batch(*late))
    assert differences(conn, visits) == {}
    query = "select events, anonymous, first_hour from event_totals where site_id = %s"
    assert conn.execute(query, [visits]).fetchall() == [(82, 29, datetime(2026, 1, 2, tzinfo=UTC))]


@pytest.mark.some(3)
@pytest.mark.parametrize(
    ("statement", "rollup", "told"),
    [
        ("update path_totals set events = 9 where site_id = %s and path = '/0'", "path_totals", 1),
        ("delete from path_totals where site_id = %s", "path_totals", 3),
        ("insert into path_totals values (%s, 'click', '/x', 1)", "path_totals", 1),
        ("update event_totals set anonymous = 0 where site_id = %s", "event_totals", 1),
        ("update event_totals set last_hour = first_hour where site_id = %s", "event_totals", 1),
        ("delete from event_totals where site_id = %s", "event_totals", 1),
        ("insert into event_totals values (%s, 'click', 1, 1, '2026-01-01', '2026-01-01')", "event_totals", 1),
    ],
)
def test_whatever_is_wrong_is_told_and_made_right(
    conn: Connection, visits: str, statement: str, rollup: str, told: int
) -> None:
    conn.execute(statement.encode(), [visits])
    assert run("verify", "--json", "--site", visits).count(f'"rollup":"{rollup}"') == told
    assert run("rebuild", "--site", visits) == f"{visits}: {told} rows corrected\n"
    assert differences(conn, visits) == {}


@pytest.mark.some(1)
@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Pacific/Honolulu", "Australia/Lord_Howe"])
def test_they_follow_when_a_site_changes_its_timezone(
    conn: Connection, reporting: httpx.Client, visits: str, timezone: str
) -> None:
    conn.execute("update sites set timezone = %s where site_id = %s", [timezone, visits])
    run("rebuild", "--site", visits)
    assert differences(conn, visits) == {}
    assert of_site(reporting, visits)["events"] == 80


def run(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).stdout
