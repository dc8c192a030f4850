"""The rollups of orders and refunds: exact in whatever order events come, checked, rebuilt and filled."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from apps.cli import main
from db.store.events import store_events
from tests.apps.reports.test_revenue import ask, order, sold
from tests.builders.factories import batch
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.recount import differences

LAMP = {"sku": "lamp", "name": "Lamp", "price": 2}
CHAIR = {"sku": "chair", "price": 3, "quantity": 2}


def run(command: str, site: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, "--site", site, *arguments])


def sell(conn: Connection, site: str, day: str, order_id: str, revenue: Any, **properties: Any) -> None:
    """An order, in a flush of its own."""
    properties = {"currency": "EUR", "products": [LAMP]} | properties
    store_events(conn, batch(order(site, day, order_id=order_id, revenue=revenue, **properties)))


def test_an_earlier_event_that_comes_later_takes_the_place_of_the_other(
    reporting: httpx.Client, conn: Connection, shop: str
) -> None:
    sell(conn, shop, "03-20", "1", 1, currency="USD", products=[CHAIR, {"price": 1}])
    sell(conn, shop, "03-10", "1", "?")
    assert sold(ask(reporting, shop)) == {"USD": (1, "1")}
    sell(conn, shop, "03-12", "1", 2)
    sell(conn, shop, "03-15", "1", 4)
    report = ask(reporting, shop)
    assert (sold(report), report["repeated"], report["source"]) == ({"EUR": (1, "2")}, 2, "rollups")
    assert [one["product"] for one in report["products"]] == ["lamp"]
    assert report["ignored"] == [{"what": "order", "reason": "revenue_invalid", "count": 1}]
    sell(conn, shop, "02-10", "1", 8)
    report = ask(reporting, shop)
    assert (sold(report), report["products"], report["repeated"]) == ({}, [], 3)
    assert differences(conn, shop) == {}


def test_many_are_replaced_at_once_in_several_sites(
    reporting: httpx.Client, conn: Connection, shop: str, other: str
) -> None:
    for day, products in (("03-20", [LAMP]), ("03-10", [CHAIR]), ("03-15", [LAMP, CHAIR])):
        orders = [
            order(site, day, order_id=str(no), revenue=no, currency="EUR", products=products)
            for site in (shop, other)
            for no in range(20)
        ]
        store_events(conn, batch(*orders))
    for site in (shop, other):
        report = ask(reporting, site, interval="week")
        assert (sold(report), report["repeated"]) == ({"EUR": (20, str(sum(range(20))))}, 40)
        assert [(one["product"], one["orders"], one["revenue"]) for one in report["products"]] == [("chair", 20, "120")]
        assert differences(conn, site) == {}


def test_orders_whose_first_event_is_no_longer_kept_stay_counted(
    reporting: httpx.Client, conn: Connection, shop: str
) -> None:
    for day in ("03-10", "03-20"):
        sell(conn, shop, day, "1", 1)
    before = ask(reporting, shop)
    conn.execute("delete from events where site_id = %s and event_time < '2026-03-16'", [shop])
    conn.execute("update sites set events_from = '2026-03-16' where site_id = %s", [shop])
    sell(conn, shop, "03-21", "1", 1)
    assert run("verify", shop).exit_code == 0
    assert run("rebuild", shop).stdout == f"{shop}: 0 rows corrected\n"
    after = reporting.get("/revenue", params={"site_id": shop, "from": "2026-03-01", "to": "2026-04-01"}).json()
    assert after == before | {"as_of": after["as_of"], "repeated": before["repeated"] + 1}


def test_days_are_those_of_the_site_once_they_are_rebuilt(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    sell(conn, shop, "03-09", "1", 1)
    sell(conn, shop, "03-10", "1", 1)
    sell(conn, shop, "03-10", "2", 2)
    conn.execute("update sites set timezone = 'Pacific/Kiritimati' where site_id = %s", [shop])
    assert run("rebuild", shop).exit_code == 0
    report = ask(reporting, shop, date="2026-03-11", **{"from": [], "to": []})
    assert (sold(report), report["repeated"], report["source"]) == ({"EUR": (1, "2")}, 1, "rollups")
    assert differences(conn, shop) == {}


#: What can be wrong: a statement that does it, and what verify finds: rollup, key, what it says, what the events say.
SPOILED = {
    "orders: one missing": (
        "delete from orders where site_id = %(site)s and order_key = '1'",
        {("orders", "1", None, 1), ("sale_days", "counted", 1, None), ("sale_days", "repeated", None, 1)},
    ),
    "orders: another event": (
        "update orders set event_time = '2026-03-11 12:00Z' where site_id = %(site)s",
        {("orders", "1", 1, 1)},
    ),
    "orders: one too many": (
        "insert into orders values (%(site)s, '2', '2026-03-10 12:00Z', gen_random_uuid())",
        {("orders", "2", 1, None)},
    ),
    "days: an amount off": (
        "update sale_days set amount = 7 where site_id = %(site)s and outcome = 'counted'",
        {("sale_days", "counted", 1, 1)},
    ),
    "days: a row missing": (
        "delete from sale_days where site_id = %(site)s and outcome = 'repeated'",
        {("sale_days", "repeated", None, 1)},
    ),
    "days: a row too many": (
        "insert into sale_days values (%(site)s, '2026-05-01', 'refund', 'counted', 'EUR', 3, 1)",
        {("sale_days", "counted", 3, None)},
    ),
    "products: a name off": (
        "update product_days set name = 'Lampe' where site_id = %(site)s",
        {("product_days", "lamp", 1, 1)},
    ),
    "products: a row missing": (
        "delete from product_days where site_id = %(site)s",
        {("product_days", "lamp", None, 1)},
    ),
}


@pytest.mark.some(4)
@pytest.mark.parametrize(("statement", "expected"), SPOILED.values(), ids=SPOILED)
def test_whatever_is_wrong_is_named_and_made_right(
    conn: Connection, shop: str, statement: str, expected: set[tuple[Any, ...]]
) -> None:
    sell(conn, shop, "03-10", "1", 1)
    sell(conn, shop, "03-11", "1", 1)
    conn.execute(statement.encode(), {"site": shop})
    result = run("verify", shop, "--json")
    assert result.exit_code == 1
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    found = {
        (
            line["rollup"],
            line["key"].get("product") or line["key"].get("order") or line["key"].get("outcome"),
            line["rollup_says"],
            line["events_say"],
        )
        for line in lines
    }
    assert expected <= found
    assert run("rebuild", shop).exit_code == 0
    assert differences(conn, shop) == {}
    assert run("verify", shop).exit_code == 0


damages = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "update orders set event_time = event_time + interval '1 day' * %(n)s where site_id = %(site)s",
                "delete from orders where site_id = %(site)s and order_key = %(n)s::text",
                "update sale_days set day = day - 60 * %(n)s where site_id = %(site)s",
                "update sale_days set amount = %(n)s where site_id = %(site)s",
                "delete from sale_days where site_id = %(site)s and events <= %(n)s",
                "update product_days set day = day + 9 * %(n)s where site_id = %(site)s",
                "update product_days set revenue = revenue + %(n)s where site_id = %(site)s",
                "update sites set timezone = 'Asia/Tokyo' where site_id = %(site)s",
                "delete from events where site_id = %(site)s and properties ->> 'order_id' = %(n)s::text",
            ]
        ),
        st.integers(0, 3),
    ),
    max_size=4,
    unique_by=lambda damage: damage[0],
)


@examples(10)
@given(damages=damages)
def test_any_damage_is_found_and_healed(conn: Connection, damages: list[tuple[str, int]]) -> None:
    shop = f"shop-{uuid4().hex[:12]}"
    for day in ("03-12", "03-10", "03-11"):
        store_events(
            conn,
            batch(
                *(
                    order(shop, day, order_id=str(no), revenue=no, currency="EUR", products=[LAMP, CHAIR])
                    for no in range(4)
                ),
                order(shop, day, "refund", revenue=-1, currency="EUR"),
                order(shop, day, revenue=1),
            ),
        )
    for statement, n in damages:
        conn.execute(statement.encode(), {"site": shop, "n": n})
        sell(conn, shop, "03-09", str(n), 5)
    right = run("verify", shop).exit_code == 0
    assert right == (differences(conn, shop) == {})
    run("rebuild", shop)
    assert differences(conn, shop) == {}
    assert run("verify", shop).exit_code == 0


def test_days_before_they_were_filled_are_counted_from_events(
    reporting: httpx.Client, conn: Connection, shop: str
) -> None:
    sell(conn, shop, "03-10", "1", 1)
    conn.execute("update sites set sales_from = '2026-03-10' where site_id = %s", [shop])
    assert ask(reporting, shop)["source"] == "events"
    assert ask(reporting, shop, **{"from": "2026-03-10"})["source"] == "rollups"
