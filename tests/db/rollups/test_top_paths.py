"""The top paths of single days: which breakdowns are read from them, how they come about, and are made right."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.rollups.advance import advance, sites_behind
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences

#: Before this all days are over.
UNTIL = datetime(2026, 3, 8, tzinfo=UTC)
DAY = {"date": "2026-03-05"}


@pytest.fixture
def visits(conn: Connection, shop: str) -> str:
    """On the first ten days of March each of 1,002 pages is viewed, some of them more often; seven days are over."""
    store(conn, shop, *((f"2026-03-{day:02}T12:00:00Z", f"/{n:04}") for day in (5, 9) for n in range(1002)))
    store(conn, shop, *((f"2026-03-{day:02}T13:00:00Z", f"/{n:04}") for day in range(1, 11) for n in (7, 1001, 1001)))
    pack(conn, shop)
    return shop


def store(conn: Connection, site: str, *visits: tuple[str, str]) -> None:
    store_events(conn, batch(*(received(site, timestamp=at, path=path) for at, path in visits)))


def pack(conn: Connection, site: str) -> None:
    while advance(conn, "top_paths", site, target=UNTIL):
        pass


def paths(reporting: httpx.Client, site: str, **others: str) -> dict[str, Any]:
    asked = {"site_id": site, "dimension": "path", **others}
    report: dict[str, Any] = reporting.get("/breakdown", params=asked).raise_for_status().json()
    return report


def test_a_day_that_is_over_has_a_row_with_its_first_thousand(conn: Connection, visits: str) -> None:
    query = "select day::text, events, paths, cardinality(top_paths), top_paths[1:3] from top_paths where site_id = %s"
    packed = conn.execute(query + " order by 1", [visits]).fetchall()
    assert [(day, *others) for day, *others in packed if day != DAY["date"]] == [
        (f"2026-03-{day:02}", 3, 2, 2, ["/1001", "/0007"]) for day in (1, 2, 3, 4, 6, 7)
    ]
    assert packed[4] == ("2026-03-05", 1005, 1002, 1000, ["/1001", "/0007", "/0000"])


@pytest.mark.parametrize("limit", ["1", "3", "1000"])
def test_it_answers_what_the_rollup_by_days_answers(
    conn: Connection, reporting: httpx.Client, visits: str, limit: str
) -> None:
    packed = paths(reporting, visits, **DAY, limit=limit)
    assert packed["source"] == "rollups"
    conn.execute("delete from top_paths where site_id = %s", [visits])
    assert packed | {"as_of": ""} == paths(reporting, visits, **DAY, limit=limit) | {"as_of": ""}


@pytest.mark.parametrize(
    ("asked", "events"),
    [
        (DAY, 1),
        ({"from": "2026-03-05", "to": "2026-03-06"}, 1),
        (DAY | {"metrics": "events,users"}, 1),
        (DAY | {"dimension": "event_type"}, 1005),
        (DAY | {"search": "7"}, 1005),
        (DAY | {"filter": "path:is:/0007"}, 2),
        (DAY | {"timezone": "Asia/Kolkata"}, 1005),
        ({"from": "2026-03-05T00:00:00Z", "to": "2026-03-06T00:00:00Z"}, 1005),
        ({"from": "2026-03-05", "to": "2026-03-07"}, 1008),
        ({"date": "2026-03-08"}, 3),
    ],
)
def test_only_all_paths_of_one_day_of_the_site_are_read_from_it(
    conn: Connection, reporting: httpx.Client, visits: str, asked: dict[str, str], events: int
) -> None:
    wrong = "update top_paths set events = 1, top_events = '{1}', top_paths = '{/1001}' where site_id = %s"
    conn.execute(wrong, [visits])
    total = paths(reporting, visits, **asked)
    assert sum(row["events"] for row in total["rows"]) + total["rest"] == events


def test_what_comes_late_outdates_the_day_until_upkeep_was_there(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    store(conn, visits, ("2026-03-05T14:00:00Z", "/0007"), ("2026-03-05T14:00:00Z", "/0007"))
    for packed in (6, 7):
        query = "select count(*) from top_paths where site_id = %s and not outdated"
        assert conn.execute(query, [visits]).fetchone() == (packed,)
        assert paths(reporting, visits, **DAY, limit="1")["rows"][0]["value"] == "/0007"
        assert differences(conn, visits) == {}
        assert (visits in sites_behind(conn, "top_paths", UNTIL)) == (packed == 6)
        pack(conn, visits)


@pytest.mark.some(2)
@pytest.mark.parametrize(
    "statement",
    [
        "update top_paths set events = 7 where site_id = %s and day = '2026-03-05'",
        "update top_paths set top_paths[1] = '/' where site_id = %s and day = '2026-03-05'",
        "update top_paths set top_events = '{}' where site_id = %s and day = '2026-03-05'",
        "insert into top_paths select %s, '2026-03-09', 1, 1, '{/}', '{1}'",
    ],
)
def test_whatever_is_wrong_is_told_and_made_right(conn: Connection, visits: str, statement: str) -> None:
    conn.execute(statement.encode(), [visits])
    assert run("verify", "--json", "--site", visits).count('"rollup":"top_paths"') == 1
    assert run("rebuild", "--site", visits) == f"{visits}: 1 rows corrected\n"
    pack(conn, visits)
    assert run("verify", "--json", "--site", visits) == ""
    assert differences(conn, visits) == {}


def test_they_follow_when_a_site_changes_its_timezone(conn: Connection, reporting: httpx.Client, visits: str) -> None:
    conn.execute("update sites set timezone = 'Pacific/Kiritimati' where site_id = %s", [visits])
    run("rebuild", "--site", visits)
    pack(conn, visits)
    assert differences(conn, visits) == {}
    assert paths(reporting, visits, date="2026-03-06")["total"]["events"] == 1005


def run(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).stdout
