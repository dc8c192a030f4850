"""GET /retention: by hand, and against a naive count."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, bucket, histories, kept, midnight

RANGE = {"from": "2026-03-10", "to": "2026-03-13"}


def ask(reporting: httpx.Client, site: str, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get("/retention", params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def matrix(report: dict[str, Any]) -> dict[str, list[int]]:
    return {cohort["cohort"]: cohort["values"] for cohort in report["cohorts"]}


@pytest.fixture
def visits(conn: Connection, shop: str, other: str) -> str:
    """Ann was there before; bob and eve come on 10 March, zoë on the 12th; the last to be stored is the first visit."""

    def visit(day: str, user_id: str | None, **fields: Any) -> Any:
        return received(shop, timestamp=f"{day}T12:00:00Z", user_id=user_id, **fields)

    store_events(
        conn,
        batch(
            visit("2026-03-10", "ann"),
            visit("2026-03-10", "bob"),
            visit("2026-03-10", "eve", path="/products/1"),
            visit("2026-03-11", "bob", event_type="purchase"),
            visit("2026-03-11", "eve"),
            visit("2026-03-12", "zoë", event_type="purchase"),
            visit("2026-03-12", "bob"),
            visit("2026-03-20", "eve", event_type="purchase"),
            visit("2026-03-10", None),
            visit("2026-03-12", None, event_type="purchase"),
            received(other, timestamp="2026-03-10T12:00:00Z", user_id="mallory"),
        ),
    )
    store_events(conn, batch(visit("2026-03-12", "ann"), visit("2026-03-12", "ann"), visit("2026-02-01", "ann")))
    return shop


@pytest.mark.parametrize("source", ["rollups", "events"])
def test_it_follows_those_who_are_first_seen_on_a_day(reporting: httpx.Client, visits: str, source: str) -> None:
    everything = {"filter": "path:contains:/"} if source == "events" else {}
    report = ask(reporting, visits, **RANGE, periods=3, **everything)
    assert report["source"] == source
    assert (report["interval"], report["periods"]) == ("day", 3)
    assert report["cohorts"] == [
        {
            "cohort": "2026-03-10",
            "size": 2,
            "anonymous": 1,
            "values": [2, 2, 1, 0],
            "shares": [1, 1, 0.5, 0],
        },
        {
            "cohort": "2026-03-11",
            "size": 0,
            "anonymous": 0,
            "values": [0, 0, 0, 0],
            "shares": [None, None, None, None],
        },
        {
            "cohort": "2026-03-12",
            "size": 1,
            "anonymous": 1,
            "values": [1, 0, 0, 0],
            "shares": [1, 0, 0, 0],
        },
    ]


@pytest.mark.parametrize(
    ("parameters", "source", "expected"),
    [
        ({"filter": "event_type:is:purchase"}, "rollups", [[0, 1, 0], [0, 0, 0], [1, 0, 0]]),
        ({"filter": "event_type:is_not:purchase"}, "rollups", [[2, 1, 1], [0, 0, 0], [0, 0, 0]]),
        ({"filter": "path:is:/products/*"}, "events", [[1, 0, 0], [0, 0, 0], [0, 0, 0]]),
        ({"timezone": "Pacific/Kiritimati"}, "events", [[0, 0, 0], [2, 2, 1], [0, 0, 0]]),
        (
            {"from": "2026-03-10T12:00:00.000001Z", "to": "2026-03-13T00:00:00Z"},
            "events",
            [[0] * 3, [0] * 3, [1, 0, 0]],
        ),
        ({"interval": "week"}, "rollups", [[3, 1, 0]]),
        ({"interval": "week", "from": "2026-01-26", "to": "2026-02-02"}, "rollups", [[1, 0, 0]]),
        ({"from": "2025-01-01", "to": "2025-01-02"}, "rollups", [[0, 0, 0]]),
    ],
)
def test_filters_say_what_coming_back_is(
    reporting: httpx.Client, visits: str, parameters: dict[str, Any], source: str, expected: list[list[int]]
) -> None:
    report = ask(reporting, visits, **RANGE | {"periods": 2} | parameters)
    assert list(matrix(report).values()) == expected
    assert report["source"] == source


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_what_has_not_come_yet_is_left_out(conn: Connection, reporting: httpx.Client, shop: str, zone: str) -> None:
    today = datetime.now(UTC) + timedelta(hours=5.5 if zone == "Asia/Kolkata" else 0)
    store_events(conn, batch(received(shop, timestamp=datetime.now(UTC).isoformat(), user_id="ann")))
    days = matrix(ask(reporting, shop, period="7d", timezone=zone))
    assert list(days) == [str(today.date() - timedelta(days=before)) for before in range(6, -1, -1)]
    assert [len(values) for values in days.values()] == [7, 6, 5, 4, 3, 2, 1]
    assert list(days.values())[-1] == [1]
    weeks = matrix(ask(reporting, shop, period="91d", interval="week", timezone=zone))
    assert [len(values) for values in weeks.values()][-9:] == [9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_as_a_table_it_has_a_row_for_each_value(reporting: httpx.Client, visits: str) -> None:
    parameters: dict[str, Any] = {"site_id": visits, "date": "2026-03-10", "periods": 2}
    table = reporting.get("/retention", params=parameters, headers={"Accept": "text/csv"})
    assert table.text.splitlines() == [
        "cohort,size,anonymous,period,users,share",
        "2026-03-10,2,1,0,2,1.0",
        "2026-03-10,2,1,1,2,1.0",
        "2026-03-10,2,1,2,1,0.5",
    ]
    assert table.headers["cache-control"] == "private, max-age=300"
    open_yet = reporting.get("/retention", params={"site_id": visits, "period": "yesterday"})
    assert open_yet.headers["cache-control"] == "private, max-age=5"


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"interval": "month"}, "interval"),
        ({"interval": "day", "from": "2024-01-01", "to": "2026-01-01"}, "interval"),
        ({"periods": "0"}, "periods"),
        ({"periods": "91"}, "periods"),
        ({"periods": "many"}, "periods"),
        ({"filter": "path:like:/x"}, "filter"),
        ({"compare": "previous_year"}, "compare"),
    ],
)
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get("/retention", params={"site_id": "shop", **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@examples(25)
@given(
    histories(),
    st.sampled_from(ZONES),
    st.none() | st.sampled_from(ZONES),
    st.sampled_from(["day", "week"]),
    st.sampled_from([None, "event_type:is:click", "path:is:/products/*"]),
)
def test_it_equals_a_naive_count(
    conn: Connection,
    reporting: httpx.Client,
    history: Any,
    site_zone: str,
    other_zone: str | None,
    interval: str,
    wanted: str | None,
) -> None:
    zone = other_zone or site_zone
    site, stored = kept(conn, history, timezone=site_zone)
    asked = {"interval": interval, "periods": 5, "timezone": zone} | ({"filter": wanted} if wanted else {})
    report = ask(reporting, site, **{"from": "2026-03-25", "to": "2026-04-05"}, **asked)

    def period(moment: datetime) -> date:
        return bucket(moment, interval, zone).date()

    start, end = midnight(2026, 3, 25, zone), midnight(2026, 4, 5, zone)
    first: dict[str, datetime] = {}
    for one in stored:
        if one.user_id:
            first[one.user_id] = min(one.timestamp, first.get(one.user_id, one.timestamp))
    step = timedelta(weeks=1) if interval == "week" else timedelta(days=1)
    expected = {}
    for cohort in sorted({period(start + timedelta(days=number)) for number in range(11)}):
        members = {user for user, moment in first.items() if start <= moment < end and period(moment) == cohort}
        there = [
            (period(one.timestamp), one.user_id)
            for one in stored
            if wanted is None or (one.event_type == "click" if "click" in wanted else one.path.startswith("/products/"))
        ]
        values = [
            len({user for at, user in there if at == cohort + number * step and user in members}) for number in range(6)
        ]
        anonymous = [one for one in stored if one.user_id is None and start <= one.timestamp < end]
        expected[str(cohort)] = (len(members), sum(period(one.timestamp) == cohort for one in anonymous), values)
    assert {one["cohort"]: (one["size"], one["anonymous"], one["values"]) for one in report["cohorts"]} == expected
