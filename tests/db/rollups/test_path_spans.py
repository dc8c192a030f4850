"""The sums of paths by month and sixth of a month: which are used, how they come about, and how they are made right."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.cli import main
from db.reports.shared.spans import spans
from db.rollups.advance import advance
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences

days = st.dates(date(2024, 1, 1), date(2026, 12, 31))


@given(days, days)
def test_spans_follow_on_each_other_and_leave_less_than_a_sixth_at_both_ends(one: date, two: date) -> None:
    first, end = sorted((one, two))
    found = list(spans(first, end))
    assert all(before[1] == after[0] for before, after in pairwise(found))
    inner = (found[0][0], found[-1][1]) if found else (first, first)
    assert first <= inner[0] <= inner[1] <= end
    assert (inner[0] - first).days < 6
    assert (end - inner[1]).days < (6 if found else 11)


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(days)
def test_a_day_is_in_the_spans_that_the_database_says(conn: Connection, day: date) -> None:
    query = "select first_day, end_day from spans_of(%s) order by end_day - first_day desc"
    month, sixth = conn.execute(query, [day]).fetchall()
    assert list(spans(*month)) == [month]
    assert list(spans(*sixth)) == [sixth]
    assert sixth[0] <= day < sixth[1]


def test_a_year_is_twelve_months() -> None:
    assert len(list(spans(date(2026, 1, 1), date(2027, 1, 1)))) == 12


@pytest.fixture
def visits(conn: Connection, shop: str) -> str:
    """One view on each of 80 days from 20 January 2026 on, of which those before 6 April are summed up."""
    begin = datetime(2026, 1, 20, 12, tzinfo=UTC)
    views = [received(shop, timestamp=(begin + timedelta(days=n)).isoformat(), path=f"/{n % 3}") for n in range(80)]
    store_events(conn, batch(*views))
    while advance(conn, "path_spans", shop, target=datetime(2026, 4, 8, tzinfo=UTC)):
        pass
    return shop


def paths(reporting: httpx.Client, site: str, first: str, end: str) -> dict[str, int]:
    asked = {"site_id": site, "dimension": "path", "from": first, "to": end}
    return {row["value"]: row["events"] for row in reporting.get("/breakdown", params=asked).json()["rows"]}


def test_a_report_takes_whole_spans_from_them_and_the_rest_from_days(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    # What would be counted twice or not at all shows in a number that is off by a power of ten of its own.
    for table, days_of, factor in (("path_spans", "end_day - first_day > 6", 100), ("path_spans", "true", 10)):
        conn.execute(
            f"update {table} set events = events * {factor} where site_id = %s and {days_of}".encode(), [visits]
        )
    assert sum(paths(reporting, visits, "2026-01-20", "2026-04-09").values()) == (
        1 + 11 * 10 + 59 * 1000 + 5 * 10 + 3  # 20 January; to its end; February and March; 1 to 5 April; 6 to 8 April
    )
    assert sum(paths(reporting, visits, "2026-03-02", "2026-03-31").values()) == 4 + 20 * 10 + 5


def test_late_events_are_added_to_what_is_summed_up_already(conn: Connection, visits: str) -> None:
    late = [
        received(visits, timestamp=f"2026-{month}-05T23:59:59Z", path="/late") for month in ("01", "02", "04", "04")
    ]
    store_events(conn, batch(*late, received(visits, timestamp="2026-04-06T00:00:00Z")))
    store_events(conn, batch(*late))
    assert differences(conn, visits) == {}
    query = "select sum(events) from path_spans where site_id = %s and path = '/late'"
    assert conn.execute(query, [visits]).fetchall() == [(8,)]


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("update path_spans set events = 9 where site_id = %s and path = '/0' and first_day = '2026-03-06'", 1),
        ("delete from path_spans where site_id = %s and end_day = '2026-04-01'", 6),
        ("insert into path_spans values (%s, '2026-04-06', '2026-04-11', 'click', '/x', 1)", 1),
        ("update path_spans set path = '/y' where site_id = %s and path = '/1' and first_day = '2026-02-01'", 4),
    ],
)
def test_whatever_is_wrong_is_told_and_made_right(conn: Connection, visits: str, statement: str, told: int) -> None:
    conn.execute(statement.encode(), [visits])
    assert run("verify", "--json", "--site", visits).count('"rollup":"path_spans"') == told
    assert run("rebuild", "--site", visits) == f"{visits}: {told} rows corrected\n"
    assert differences(conn, visits) == {}


def test_they_follow_when_a_site_changes_its_timezone(conn: Connection, reporting: httpx.Client, visits: str) -> None:
    conn.execute("update sites set timezone = 'Pacific/Kiritimati' where site_id = %s", [visits])
    run("rebuild", "--site", visits)
    assert differences(conn, visits) == {}
    assert sum(paths(reporting, visits, "2026-02-01", "2026-03-01").values()) == 28


def run(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).stdout
