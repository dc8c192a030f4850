"""GET /funnel: by hand, and against all ways through the events, tried one by one."""

import csv
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

BUYING = ["page_view;path:is:/products/*", "add_to_cart", "purchase"]
DAY = {"date": "2026-03-10"}


def ask(reporting: httpx.Client, site: str, steps: list[str], **parameters: Any) -> dict[str, Any]:
    answer = reporting.get("/funnel", params={"site_id": site, "step": steps, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def users(report: dict[str, Any]) -> list[int]:
    return [step["users"] for step in report["steps"]]


def do(conn: Connection, site: str, user_id: str | None, *doings: tuple[str, str], **fields: Any) -> None:
    """Store what a user did at these times of 10 March: a path that was viewed, or another type of event."""
    store_events(
        conn,
        batch(
            *(
                received(
                    site,
                    user_id=user_id,
                    timestamp=f"2026-03-10T{time}Z",
                    **{"path": what} if what.startswith("/") else {"event_type": what},
                    **fields,
                )
                for time, what in doings
            )
        ),
    )


@pytest.fixture
def purchases(conn: Connection, shop: str, other: str) -> str:
    """A day on which ann buys, bob leaves his cart, eve only looks, and zoë buys what she never looked at."""
    do(
        conn, shop, "ann", ("10:00:00", "/products/1"), ("10:01:00", "/about"), ("10:02:00", "/products/2"),
        ("10:05:00", "add_to_cart"), ("10:05:30", "/products/3"), ("10:25:00", "purchase"), ("11:00:00", "purchase"),
    )  # fmt: skip
    do(conn, shop, "bob", ("12:00:00", "/products/1"), ("12:01:00", "add_to_cart"))
    do(conn, shop, "eve", ("13:00:00", "/products/1"))
    do(conn, shop, "zoë", ("13:00:00", "purchase"), ("14:00:00", "add_to_cart"), ("15:00:00", "/products/1"))
    do(conn, shop, None, ("10:00:00", "/products/1"), ("10:00:01", "/products/1"), ("10:00:02", "add_to_cart"))
    do(conn, other, "mallory", ("10:00:00", "/products/1"), ("10:05:00", "add_to_cart"), ("10:06:00", "purchase"))
    return shop


def test_it_counts_who_took_the_steps_in_their_order(reporting: httpx.Client, purchases: str) -> None:
    report = ask(reporting, purchases, BUYING, **DAY)
    assert report["source"] == "events"
    assert report["window"] == "1d"
    assert report["steps"] == [
        {
            "step": "page_view;path:is:/products/*",
            "users": 4,
            "from_previous": None,
            "from_first": 1,
            "median_seconds": None,
            "anonymous": 2,
        },
        {
            "step": "add_to_cart",
            "users": 2,
            "from_previous": 0.5,
            "from_first": 0.5,
            "median_seconds": 120,  # ann from her second look: 180, bob: 60
            "anonymous": 1,
        },
        {
            "step": "purchase",
            "users": 1,
            "from_previous": 0.5,
            "from_first": 0.25,
            "median_seconds": 1200,
            "anonymous": 0,
        },
    ]


def test_all_steps_are_within_the_window_of_the_first(reporting: httpx.Client, purchases: str) -> None:
    # From ann's second look it took her 23 minutes.
    assert users(ask(reporting, purchases, BUYING, **DAY, window="23m")) == [4, 2, 1]
    assert users(ask(reporting, purchases, BUYING, **DAY, window="22m")) == [4, 2, 0]
    assert users(ask(reporting, purchases, BUYING, **DAY, window="2m")) == [4, 1, 0]


def test_only_the_first_step_has_to_be_in_the_range(reporting: httpx.Client, purchases: str) -> None:
    start = {"from": "2026-03-10T10:00:00Z"}
    assert users(ask(reporting, purchases, BUYING, **start, to="2026-03-10T10:02:00Z")) == [1, 1, 1]
    assert users(ask(reporting, purchases, BUYING, **start, to="2026-03-10T10:00:00.000001Z")) == [1, 1, 1]
    late = {"from": "2026-03-10T10:02:00.000001Z", "to": "2026-03-10T11:00:00Z"}
    assert users(ask(reporting, purchases, BUYING, **late)) == [1, 0, 0]
    anonymous = ask(reporting, purchases, BUYING, **start, to="2026-03-10T10:00:01Z")["steps"]
    assert [step["anonymous"] for step in anonymous] == [1, 0, 0]


def test_every_beginning_of_a_user_is_tried(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    do(conn, shop, "ann", ("08:00:00", "a"), ("08:10:00", "b"), ("09:00:00", "a"), ("09:50:00", "b"), ("09:55:00", "c"))
    report = ask(reporting, shop, ["a", "b", "c"], **DAY, window="1h")
    assert users(report) == [1, 1, 1]
    assert [step["median_seconds"] for step in report["steps"]] == [None, 600, 300]


def test_events_at_the_same_time_are_not_one_after_the_other(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    do(conn, shop, "ann", ("08:00:00", "a"), ("08:00:00", "b"))
    assert users(ask(reporting, shop, ["a", "b"], **DAY)) == [1, 0]
    do(conn, shop, "ann", ("07:59:59.999999", "a"))
    assert users(ask(reporting, shop, ["a", "b"], **DAY)) == [1, 1]
    assert users(ask(reporting, shop, ["a", "a", "a|b"], **DAY)) == [1, 1, 0]


def test_one_event_is_one_step(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    do(conn, shop, "ann", *((f"08:0{minute}:00", "/") for minute in range(5)))
    assert users(ask(reporting, shop, ["page_view"] * 8, **DAY)) == [1, 1, 1, 1, 1, 0, 0, 0]


def test_a_step_may_ask_for_properties_and_filters_for_all_steps(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    do(conn, shop, "ann", ("08:00:00", "/a;b"), ("08:01:00", "buy"), properties={"plan": "paid", "seats": 3})
    do(conn, shop, "bob", ("08:00:00", "/a;b"), ("08:01:00", "buy"), properties={"plan": "free"})
    seen = "page_view;path:is:/a;b"
    assert users(ask(reporting, shop, [seen, "buy"], **DAY)) == [2, 2]
    assert users(ask(reporting, shop, [seen, "buy;properties.plan:is:paid;properties.seats:gt:2"], **DAY)) == [2, 1]
    assert users(ask(reporting, shop, [seen, "buy"], **DAY, filter="properties.plan:is:paid")) == [1, 1]
    assert users(ask(reporting, shop, ["sell", "buy"], **DAY)) == [0, 0]


def test_it_compares_with_another_time(reporting: httpx.Client, purchases: str) -> None:
    report = ask(reporting, purchases, BUYING, date="2026-03-11", compare="previous_period")
    assert users(report) == [0, 0, 0]
    assert [step["from_previous"] for step in report["steps"]] == [None, None, None]
    assert [step["users"] for step in report["compare"]] == [4, 2, 1]


def test_in_a_table_each_step_has_the_other_time_beside_it(reporting: httpx.Client, purchases: str) -> None:
    parameters = {"site_id": purchases, "step": BUYING, "date": "2026-03-11", "compare": "previous_period"}
    table = reporting.get("/funnel", params=parameters, headers={"Accept": "text/csv"}).text
    rows = list(csv.DictReader(table.splitlines()))
    assert [row["step"] for row in rows] == [row["compare_step"] for row in rows] == BUYING
    assert [(row["users"], row["compare_users"]) for row in rows] == [("0", "4"), ("0", "2"), ("0", "1")]


def test_its_steps_come_as_csv(reporting: httpx.Client, purchases: str) -> None:
    parameters = {"site_id": purchases, "step": BUYING, **DAY}
    table = reporting.get("/funnel", params=parameters, headers={"Accept": "text/csv"})
    assert table.text.splitlines()[:3] == [
        "step,users,from_previous,from_first,median_seconds,anonymous",
        "page_view;path:is:/products/*,4,,1.0,,2",
        "add_to_cart,2,0.5,0.5,120.0,1",
    ]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "step"),
        ({"step": "a"}, "step"),
        ({"step": ["a"] * 9}, "step"),
        ({"step": ["a", ";path:is:/"]}, "step"),
        ({"step": ["a", "b;colour:is:red"]}, "step"),
        ({"step": ["a", "b;path:like:/x"]}, "step"),
        ({"step": ["a", "b;path:is:"]}, "step"),
        ({"step": ["a", "b;path:is:/x;event_type:is:c"]}, "step"),
        ({"step": ["a", "b;properties.a:is:1;source:is:google"]}, "step"),
        ({"step": ["a", "b;path:is:/x;user_id:missing"]}, "step"),
        ({"step": ["a", "b"], "window": "1w"}, "window"),
        ({"step": ["a", "b"], "window": "0d"}, "window"),
        ({"step": ["a", "b"], "window": "91d"}, "window"),
        ({"step": ["a", "b"], "window": "soon"}, "window"),
        ({"step": ["a", "b"], "filter": "path:like:/x"}, "filter"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get("/funnel", params={"site_id": "shop", **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
