"""The unions of users by day, sixth of a month and month: which are used, how they come about, and are made right."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.reports.shared.spans import days, spans_and_days
from db.rollups.advance import advance
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences


def test_a_range_is_cut_into_months_sixths_and_the_days_before_and_after() -> None:
    cut = [(end - first).days for first, end in spans_and_days(date(2026, 1, 30), date(2026, 3, 8))]
    assert cut == [1, 1, 28, 5, 1, 1]
    assert [(end - first).days for first, end in spans_and_days(date(2026, 1, 2), date(2026, 1, 5))] == [1, 1, 1]
    assert list(spans_and_days(date(2026, 1, 2), date(2026, 1, 2))) == []
    assert list(days(date(2026, 1, 2), date(2026, 1, 1))) == []


@pytest.fixture
def visits(conn: Connection, shop: str) -> str:
    """On each of 80 days from 20 January 2026 on another user's view and click; those before 8 April are united."""
    begin = datetime(2026, 1, 20, 12, tzinfo=UTC)
    store_events(
        conn,
        batch(
            *(
                received(shop, timestamp=(begin + timedelta(days=n)).isoformat(), user_id=f"{n:02}", event_type=done)
                for n in range(80)
                for done in ("page_view", "click")
            )
        ),
    )
    while advance(conn, "user_spans", shop, target=datetime(2026, 4, 8, tzinfo=UTC)):
        pass
    return shop


def mark(conn: Connection, site: str, condition: str, users: int) -> None:
    """Give these spans so many users more, whom nobody else has."""
    for bit in range(8192 - users, 8192):
        update = f"update user_spans set users = set_bit(users, {bit}, 1) where site_id = %s and {condition}"
        conn.execute(update.encode(), [site])


def values(reporting: httpx.Client, site: str, interval: str, **others: str) -> list[int]:
    asked = {"site_id": site, "metric": "users", "interval": interval, "from": "2026-01-20", "to": "2026-04-10"}
    return [point["value"] for point in reporting.get("/timeseries", params=asked | others).json()["points"]]


def total(reporting: httpx.Client, site: str, **others: str) -> dict[str, Any]:
    asked = {"site_id": site, "dimension": "event_type", "metrics": "events,users", "limit": "5", **others}
    report = reporting.get("/breakdown", params=asked).json()
    return {"all": report["total"]["users"]} | {row["value"]: row["users"] for row in report["rows"]}


def test_a_series_takes_spans_no_longer_than_its_interval(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    mark(conn, visits, "end_day - first_day > 6", 100)
    assert values(reporting, visits, "day") == [1] * 80
    assert values(reporting, visits, "week") == [6] + [7] * 10 + [4]
    assert values(reporting, visits, "month") == [12, 28 + 100, 31 + 100, 9]


def test_the_last_days_are_not_in_them_yet(conn: Connection, reporting: httpx.Client, visits: str) -> None:
    conn.execute("delete from user_spans where site_id = %s", [visits])
    assert values(reporting, visits, "day") == [0] * 78 + [1, 1]


def test_users_of_a_range_are_those_of_its_spans(conn: Connection, reporting: httpx.Client, visits: str) -> None:
    spring = {"from": "2026-01-30", "to": "2026-04-09"}
    assert total(reporting, visits, **spring) == {"all": 69, "page_view": 69, "click": 69}
    mark(conn, visits, "end_day - first_day > 6 and event_type = ''", 1)
    mark(conn, visits, "end_day - first_day > 6 and event_type = 'click'", 2)
    assert total(reporting, visits, **spring) == {"all": 70, "page_view": 69, "click": 71}


def test_with_filters_only_days_of_their_event_types_count(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    conn.execute("update user_spans set users = ~users where site_id = %s and event_type = ''", [visits])
    clicks = {"filter": "event_type:is:click"}
    assert values(reporting, visits, "month", **clicks) == [12, 28, 31, 9]
    assert total(reporting, visits, **clicks, **{"from": "2026-01-30", "to": "2026-04-09"}) == {"all": 69, "click": 69}


def test_who_was_there_before_a_range_is_known_from_them(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    again = {"timestamp": "2026-03-10T12:00:00Z"}  # of January, of the month's first sixth, and of a day since
    store_events(conn, batch(*(received(visits, user_id=user, **again) for user in ("00", "41", "46"))))
    conn.execute("delete from user_days where site_id = %s and day < '2026-03-08'", [visits])
    report = reporting.get("/retention", params={"site_id": visits, "from": "2026-03-08", "to": "2026-03-12"}).json()
    assert [cohort["size"] for cohort in report["cohorts"]] == [1, 1, 1, 1]


def test_users_who_come_late_are_added(conn: Connection, visits: str) -> None:
    late = [
        received(visits, timestamp=f"2026-{month}-05T23:59:59Z", user_id=user, event_type=done)
        for month in ("01", "02", "04")
        for user, done in (("00", "click"), ("new", "page_view"), ("new", "late"), (None, "click"))
    ]
    store_events(conn, batch(*late, received(visits, timestamp="2026-04-08T00:00:00Z", user_id="00")))
    store_events(conn, batch(*late))
    assert differences(conn, visits) == {}
    query = "select count(*), sum(bit_count(users)) from user_spans where site_id = %s and event_type = 'late'"
    assert conn.execute(query, [visits]).fetchall() == [(5, 5)]


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("update user_spans set users = ~users where site_id = %s and first_day = '2026-03-06' and event_type = ''", 2),
        ("delete from user_spans where site_id = %s and end_day = '2026-04-01'", 1 + 3 + 3),
        ("insert into user_spans select %s, '2026-04-08', '2026-04-09', '', 1, ~repeat('0', 8192)::bit(8192)", 1),
        ("update user_spans set chunk = 9 where site_id = %s and first_day = '2026-02-01' and event_type = 'click'", 4),
    ],
)
def test_whatever_is_wrong_is_told_and_made_right(conn: Connection, visits: str, statement: str, told: int) -> None:
    conn.execute(statement.encode(), [visits])
    assert run("verify", "--json", "--site", visits).count('"rollup":"user_spans"') == told
    assert run("rebuild", "--site", visits) == f"{visits}: {told} rows corrected\n"
    assert differences(conn, visits) == {}


def test_they_follow_when_a_site_changes_its_timezone(conn: Connection, reporting: httpx.Client, visits: str) -> None:
    conn.execute("update sites set timezone = 'Pacific/Kiritimati' where site_id = %s", [visits])
    run("rebuild", "--site", visits)
    assert differences(conn, visits) == {}
    assert values(reporting, visits, "month") == [11, 28, 31, 9]


def run(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).stdout
