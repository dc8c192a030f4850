"""What users did by months: how it comes about, which funnels are read from it, and how it is made right."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.expiry import drop_old_events
from db.rollups.advance import advance, sites_behind
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences

BUYING = ["page_view", "click", "purchase"]
SPRING = {"from": "2026-01-20", "to": "2026-04-10"}
#: Until when what users did is packed.
UNTIL = datetime(2026, 4, 8, tzinfo=UTC)


@pytest.fixture
def visits(conn: Connection, shop: str) -> str:
    """From 20 January 2026 on somebody views, clicks or buys something each day; those before 8 April are packed.

    Ann views on the first day, clicks on the second, buys on the third and so on; Bob clicks, buys, views, until March.
    """
    begin = datetime(2026, 1, 20, 12, tzinfo=UTC)
    did = [(begin + timedelta(days=n), "ann", BUYING[n % 3]) for n in range(80)]
    did += [(begin + timedelta(days=n, hours=-1), "bob", BUYING[(n + 1) % 3]) for n in range(60)]
    store(conn, shop, *((moment.isoformat(), user, event_type) for moment, user, event_type in did))
    pack(conn, shop)
    return shop


def store(conn: Connection, site: str, *did: tuple[str, str | None, str]) -> None:
    store_events(conn, batch(*(received(site, timestamp=at, user_id=user, event_type=done) for at, user, done in did)))


def pack(conn: Connection, site: str, target: datetime = UNTIL, most: int = 50) -> None:
    while advance(conn, "user_months", site, target=target, most=most):
        pass


def funnel(reporting: httpx.Client, site: str, *steps: str, **others: str) -> dict[str, Any]:
    answer = reporting.get("/funnel", params={"site_id": site, "step": steps or BUYING, "window": "3d", **others})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def users(report: dict[str, Any]) -> list[int]:
    return [step["users"] for step in report["steps"]]


def test_days_that_are_over_are_packed(conn: Connection, visits: str) -> None:
    assert differences(conn, visits) == {}
    query = "select user_id, month::text, cardinality(moments) from user_months where site_id = %s order by 1, 2"
    packed = conn.execute(query, [visits]).fetchall()
    assert packed[:4] == [("ann", f"2026-0{month + 1}-01", n) for month, n in enumerate((12, 28, 31, 7))]
    assert packed[4:] == [("bob", f"2026-0{month + 1}-01", n) for month, n in enumerate((12, 28, 20))]


def test_it_moves_on_by_whole_days_and_in_small_parts(conn: Connection, visits: str) -> None:
    noon = UNTIL + timedelta(hours=12)
    assert visits not in sites_behind(conn, "user_months", noon)
    assert not advance(conn, "user_months", visits, target=noon)
    assert visits in sites_behind(conn, "user_months", noon + timedelta(days=1))
    assert advance(conn, "user_months", visits, target=noon + timedelta(days=9), most=1)
    assert not advance(conn, "user_months", visits, target=noon + timedelta(days=9), most=2)
    assert differences(conn, visits) == {}


@pytest.mark.parametrize(
    ("others", "source"),
    [
        ({}, "rollups"),
        ({"from": "2026-04-07"}, "rollups"),
        ({"from": "2026-04-08"}, "events"),  # faster for less than three days
        ({"from": "2026-01-20T00:30:00Z", "to": "2026-04-10T00:00:00Z"}, "events"),  # no hours of the site
        ({"filter": "event_type:is_not:refund"}, "events"),
        ({"filter": "user_id:is:ann"}, "events"),
    ],
)
def test_long_funnels_of_event_types_are_read_from_it(
    reporting: httpx.Client, visits: str, others: dict[str, str], source: str
) -> None:
    assert funnel(reporting, visits, **SPRING | others)["source"] == source


def test_events_are_read_where_upkeep_is_days_behind(reporting: httpx.Client, conn: Connection, visits: str) -> None:
    assert funnel(reporting, visits, **SPRING | {"to": "2026-04-12"})["source"] == "rollups"
    assert funnel(reporting, visits, **SPRING | {"to": "2026-04-13"})["source"] == "events"


def test_a_step_with_a_path_is_counted_from_events(reporting: httpx.Client, visits: str) -> None:
    assert funnel(reporting, visits, "page_view;path:is:/", "click", **SPRING)["source"] == "events"


def test_ways_go_on_from_month_to_month_and_into_the_days_since(reporting: httpx.Client, visits: str) -> None:
    # Ann views on 29 January, on 31 March and on 6 April; Bob on 31 January, and no more after March.
    ends = {"29": "2026-01-30", "31": "2026-04-01"}
    assert users(funnel(reporting, visits, **{"from": "2026-01-27", "to": ends["29"]})) == [2, 2, 2]
    assert users(funnel(reporting, visits, **{"from": "2026-03-29", "to": ends["31"]})) == [1, 1, 1]
    assert users(funnel(reporting, visits, **{"from": "2026-04-04", "to": "2026-04-08"})) == [1, 1, 1]
    assert users(funnel(reporting, visits, **{"from": "2026-04-04", "to": "2026-04-08", "window": "1d"})) == [1, 1, 0]


def test_whole_months_and_parts_of_others_say_the_same_as_the_events(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    ranges = [
        {"from": f"2026-0{first}-{day:02}", "to": f"2026-0{last}-{day:02}"}
        for first, last in ((1, 2), (2, 3), (2, 4), (1, 4), (3, 4))
        for day in (1, 12, 28)
        if (last, day) <= (4, 12)
    ]
    steps = [BUYING, ["click|purchase", "page_view"], ["page_view", "page_view"], ["purchase", "refund"]]
    asked = [(way, span, window) for way in steps for span in ranges for window in ("1d", "40d")]
    packed = [funnel(reporting, visits, *way, **span, window=window) for way, span, window in asked]
    assert {report.pop("source") for report in packed} == {"rollups"}
    conn.execute("delete from event_types where site_id = %s", [visits])
    conn.execute("update sites set user_months_until = '-infinity' where site_id = %s", [visits])
    conn.execute("delete from user_months where site_id = %s", [visits])
    counted = [funnel(reporting, visits, *way, **span, window=window) for way, span, window in asked]
    for mine, theirs in zip(packed, counted, strict=True):
        assert mine["steps"] == theirs["steps"]


def test_events_that_come_late_are_put_in_their_place(conn: Connection, reporting: httpx.Client, visits: str) -> None:
    late = [
        ("2026-02-10T08:00:00Z", "eve", "page_view"),
        ("2026-02-10T08:00:00Z", "eve", "another"),
        ("2026-03-31T23:59:59.999999Z", "ann", "click"),
        ("2026-01-01T00:00:00Z", "ann", "click"),
        ("2026-02-10T08:00:00Z", None, "page_view"),
        ("2026-04-08T00:00:00Z", "eve", "page_view"),
    ]
    events = [received(visits, timestamp=at, user_id=user, event_type=done) for at, user, done in late]
    store_events(conn, batch(*events))
    store_events(conn, batch(*events))
    assert differences(conn, visits) == {}
    store(conn, visits, ("2026-02-10T07:00:00Z", "eve", "page_view"), ("2026-02-10T09:00:00Z", "eve", "click"))
    assert differences(conn, visits) == {}
    assert users(funnel(reporting, visits, "page_view", "another", "click", **SPRING)) == [3, 1, 1]


def test_of_more_event_types_than_there_are_bytes_the_events_are_counted(
    conn: Connection, reporting: httpx.Client, visits: str
) -> None:
    store(conn, visits, *(("2026-04-08T12:00:00Z", "eve", f"type {number:03}") for number in range(252)))
    pack(conn, visits, UNTIL + timedelta(days=1), most=1000)
    assert users(funnel(reporting, visits, "type 000", "type 001", **SPRING)) == [1, 0]
    known = funnel(reporting, visits, "page_view", "type 248", **SPRING)
    assert (known["source"], users(known)) == ("rollups", [2, 0])
    unknown = funnel(reporting, visits, "type 251", "type 250", **SPRING)
    assert (unknown["source"], users(unknown)) == ("events", [1, 0])
    run("rebuild", "--site", visits)
    assert run("verify", "--json", "--site", visits) == ""


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("update user_months set moments[1] = moments[1] - interval '1 minute' where site_id = %s", 7),
        ("update user_months set kinds = set_byte(kinds, 0, 99) where site_id = %s and month = '2026-02-01'", 2),
        ("delete from user_months where site_id = %s and month = '2026-03-01'", 2),
        ("insert into user_months select %s, '2026-03-01', 'zoë', '\\x01', array['2026-03-05'::timestamptz]", 1),
        ("delete from event_types where site_id = %s", 7),
    ],
)
def test_whatever_is_wrong_is_told_and_made_right(conn: Connection, visits: str, statement: str, told: int) -> None:
    conn.execute(statement.encode(), [visits])
    assert run("verify", "--json", "--site", visits).count('"rollup":"user_months"') == told
    run("rebuild", "--site", visits)
    assert run("verify", "--json", "--site", visits) == ""
    assert differences(conn, visits) == {}


def test_only_the_days_that_are_asked_for_are_made_right(conn: Connection, visits: str) -> None:
    wrong = "update user_months set kinds = set_byte(set_byte(kinds, 0, 99), 5, 99) where site_id = %s"
    conn.execute(wrong.encode(), [visits])
    run("rebuild", "--site", visits, "--from", "2026-02-02", "--to", "2026-02-28")
    query = "select get_byte(kinds, 0), get_byte(kinds, 5) from user_months where site_id = %s and month = '2026-02-01'"
    assert [(first, last != 99) for first, last in conn.execute(query, [visits])] == [(99, True)] * 2


def test_months_go_once_none_of_their_events_is_kept(conn: Connection, visits: str) -> None:
    kept = "insert into kept_events (events_from, said_at) values ('2026-03-02', now())"
    query = "select distinct month::text from user_months where site_id = %s order by 1"
    with conn.transaction(force_rollback=True):
        all_months = conn.execute(query, [visits]).fetchall()
        conn.execute(kept)
        drop_old_events(conn, days=10_000)
        assert conn.execute(query, [visits]).fetchall() == all_months  # it was said, but none was dropped
        conn.execute("delete from kept_events")
        conn.execute(kept)
        conn.execute("update kept_events set dropped_until = events_from")
        drop_old_events(conn, days=10_000)
        assert conn.execute(query, [visits]).fetchall() == [("2026-03-01",), ("2026-04-01",)]


def run(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).stdout
