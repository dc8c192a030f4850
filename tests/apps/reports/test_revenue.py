"""GET /revenue: by hand, and against a naive count."""

from typing import Any

import httpx
import pytest
from hypothesis import strategies as st

from db.events.event import ReceivedEvent
from db.reports.revenue import ORDERS, REFUNDS
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.naive import times

#: What counts as if it were not there.
NOTHING: list[Any] = [None, "", "  ", "\t\u00a0\u2003\n", [], {}]
MARCH = {"from": "2026-03-01", "to": "2026-04-01"}


def order(site: str, day: str, /, event_type: str = "Order Completed", **properties: Any) -> ReceivedEvent:
    return received(site, event_type=event_type, timestamp=f"2026-{day}T12:00:00Z", properties=properties)


def ask(reporting: httpx.Client, site: str, **parameters: Any) -> dict[str, Any]:
    """The report. Where it is from rollups, it is the same from events, as with a filter that leaves nothing out."""
    answer = reporting.get("/revenue", params={"site_id": site, **MARCH, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    if report["source"] == "rollups":
        counted = ask(reporting, site, filter="event_type:is_not:nothing", **parameters)
        assert counted["source"] == "events"
        varying = {"source": None, "as_of": None}
        assert report | varying == counted | varying
    return report


def sold(report: dict[str, Any]) -> dict[str, tuple[int, str]]:
    return {sales["currency"]: (sales["orders"], sales["revenue"]) for sales in report["currencies"]}


def test_it_adds_up_orders_by_currency(reporting: httpx.Client, conn: Connection, shop: str, other: str) -> None:
    store_events(
        conn,
        batch(
            order(shop, "03-10", order_id="1", revenue=0.1, currency="EUR"),
            order(shop, "03-11", order_id="2", revenue=0.2, currency="EUR"),
            order(shop, "03-12", "purchase", transaction_id="3", value="12.30", currency=" usd "),
            order(shop, "03-13", "purchase", order_id="4", total=1, value=99, currency="EUR"),
            order(shop, "03-13", "page_view", order_id="5", revenue=1, currency="EUR"),
            order(shop, "04-01", order_id="6", revenue=1, currency="EUR"),
            order(shop, "03-14", "Order Refunded", order_id="1", total=-0.1, currency="EUR"),
            order(shop, "03-15", "refund", transaction_id="0", value="3", currency="GBP"),
            order(other, "03-10", order_id="7", revenue=1000, currency="EUR"),
        ),
    )
    report = ask(reporting, shop)
    names = ["currency", "orders", "revenue", "average_order_value", "refunds", "refunded"]
    assert report["currencies"] == [
        dict(zip(names, values, strict=True))
        for values in (
            ("EUR", 3, "1.3", "0.43", 1, "0.1"),
            ("USD", 1, "12.3", "12.3", 0, "0"),
            ("GBP", 0, "0", None, 1, "3"),
        )
    ]
    assert (report["repeated"], report["ignored"], report["source"]) == (0, [], "rollups")
    assert (report["event_types"], report["refund_types"]) == (list(ORDERS), list(REFUNDS))
    assert "points" not in report


def test_money_is_exact_however_large_the_sum(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    large = "999999999999999.99"
    store_events(conn, batch(*(order(shop, "03-10", revenue=large, currency="EUR") for _ in range(100))))
    assert sold(ask(reporting, shop)) == {"EUR": (100, "99999999999999999")}


def test_an_order_counts_once_by_its_first_event(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    store_events(
        conn,
        batch(
            order(shop, "02-28", order_id="before", revenue=1, currency="EUR"),
            order(shop, "03-01", order_id="before", revenue=2, currency="EUR"),
            order(shop, "03-10", order_id=17, revenue=4, currency="EUR"),
            order(shop, "03-12", "purchase", transaction_id="17", revenue=8, currency="USD"),
            order(shop, "04-10", order_id="17", revenue=16, currency="EUR"),
            order(shop, "03-10", order_id="mended", revenue="a lot", currency="EUR"),
            order(shop, "03-11", order_id="mended", revenue=32, currency="EUR"),
            order(shop, "03-20", order_id="", revenue=64, currency="EUR"),
            order(shop, "03-21", order_id="", revenue=64, currency="EUR"),
        ),
    )
    report = ask(reporting, shop)
    assert sold(report) == {"EUR": (4, str(4 + 32 + 64 + 64))}
    assert report["repeated"] == 2
    assert report["ignored"] == [{"what": "order", "reason": "revenue_invalid", "count": 1}]
    assert sold(ask(reporting, shop, **{"from": "2026-02-01"})) == {"EUR": (5, str(1 + 4 + 32 + 64 + 64))}
    assert sold(ask(reporting, shop, event_type="purchase")) == {"USD": (1, "8")}


def test_ids_that_begin_alike_are_different_orders(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    long = "x" * 3_000
    store_events(
        conn,
        batch(
            *(
                order(shop, "03-10", order_id=long + name, revenue=1, currency="EUR", receipt=name * 20_000)
                for name in "abb"
            )
        ),
    )
    report = ask(reporting, shop)
    assert (sold(report), report["repeated"]) == ({"EUR": (2, "2")}, 1)


def test_filters_are_on_the_event_that_counts(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    store_events(
        conn,
        batch(
            order(shop, "03-10", order_id="1", revenue=1, currency="EUR", channel="web"),
            order(shop, "03-11", order_id="1", revenue=1, currency="EUR", channel="app"),
            order(shop, "03-12", order_id="2", revenue=2, currency="EUR", channel="app"),
        ),
    )
    report = ask(reporting, shop, filter="properties.channel:is:app")
    assert (sold(report), report["repeated"]) == ({"EUR": (1, "2")}, 1)


def test_what_cannot_be_counted_is_told(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    odd: list[Any] = ["a", "1,50", "1e3", "NaN", True, {"of": 1}, [1], "٣", 1e15, "1."]
    marked = {"revenue": 1, "currency": "EUR", "public_key": True}
    broken: list[tuple[str, list[dict[str, Any]]]] = [
        ("currency_invalid", [{"revenue": 1, "currency": "€"}, {"revenue": 1, "currency": 978}]),
        ("currency_missing", [{"revenue": 1}, *({"revenue": 1, "currency": value} for value in NOTHING)]),
        ("public_key", [marked, marked | {"order_id": "7"}, {"public_key": True}]),
        ("revenue_invalid", [{"revenue": value, "currency": "EUR"} for value in odd]),
        ("revenue_missing", [{"currency": "EUR"}, *({"revenue": value, "currency": "EUR"} for value in NOTHING)]),
        ("revenue_negative", [{"revenue": -1, "currency": "EUR"}, {"revenue": "-0.01", "currency": "EUR"}]),
    ]
    events = [order(shop, "03-10", **properties) for _, several in broken for properties in several]
    events += [received(shop, event_type="purchase"), order(shop, "03-10", "refund", total="x", currency="EUR")]
    store_events(conn, batch(*events))
    report = ask(reporting, shop)
    assert report["currencies"] == []
    assert report["ignored"] == [
        {"what": "order", "reason": reason, "count": len(several) + (reason == "revenue_missing")}
        for reason, several in broken
    ] + [{"what": "refund", "reason": "revenue_invalid", "count": 1}]


def test_products_with_most_revenue_come_first(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    lamp = {"product_id": "lamp", "name": "Lamp", "price": "19.90", "quantity": 2}
    chair, half = {"sku": "chair", "price": 100}, {"item_id": 7, "price": 1, "quantity": 0.5}
    broken = [
        {"price": 1},
        {"name": "free"},
        {"name": "odd", "price": -1},
        {"name": "odd", "price": 1, "quantity": "x"},
        7,
    ]
    store_events(
        conn,
        batch(
            order(shop, "03-10", order_id="1", revenue=1, currency="EUR", products=[lamp, lamp, chair]),
            order(shop, "03-11", order_id="1", revenue=1, currency="EUR", products=[lamp]),
            order(shop, "03-11", order_id="2", revenue=1, currency="EUR", products=[lamp, *broken]),
            order(shop, "03-12", "purchase", value=1, currency="USD", items=[half]),
            order(shop, "03-12", "purchase", value=1, currency="USD", products={"not": "a list"}),
        ),
    )  # fmt: skip
    report = ask(reporting, shop)
    assert report["products"] == [
        {"currency": "EUR", "product": "lamp", "name": "Lamp", "orders": 2, "quantity": "6", "revenue": "119.4"},
        {"currency": "EUR", "product": "chair", "name": None, "orders": 1, "quantity": "1", "revenue": "100"},
        {"currency": "USD", "product": "7", "name": None, "orders": 1, "quantity": "0.5", "revenue": "0.5"},
    ]
    assert report["ignored"] == [
        {"what": "product", "reason": "price_invalid", "count": 2},
        {"what": "product", "reason": "product_missing", "count": 2},
        {"what": "product", "reason": "products_invalid", "count": 1},
        {"what": "product", "reason": "quantity_invalid", "count": 1},
    ]
    assert [one["product"] for one in ask(reporting, shop, limit=1)["products"]] == ["lamp", "7"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"filter": "path:is:/"},
        {"event_type": "purchase"},
        {"refund_type": "refund"},
        {"timezone": "Asia/Kolkata"},
        {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"},
    ],
)
def test_what_rollups_do_not_hold_is_counted_from_events(
    reporting: httpx.Client, conn: Connection, shop: str, parameters: dict[str, str]
) -> None:
    store_events(conn, batch(order(shop, "03-10", "purchase", revenue=1, currency="EUR")))
    report = ask(reporting, shop, **parameters)
    assert (report["source"], sold(report)) == ("events", {"EUR": (1, "1")})
    assert ask(reporting, shop, event_type=ORDERS[::-1], refund_type=REFUNDS)["source"] == "rollups"


def test_the_index_holds_the_event_types_that_are_sales(conn: Connection) -> None:
    (index,) = conn.execute("select pg_get_indexdef('events_sales'::regclass)").fetchone() or ("",)
    assert all(f"'{name}'" in index for name in (*ORDERS, *REFUNDS))


def test_the_rollups_hold_the_event_types_that_are_sales(conn: Connection) -> None:
    names = [*ORDERS, *REFUNDS, "page_view"]
    held = conn.execute("select name, is_sale(name), is_refund(name) from unnest(%s::text[]) name", [names]).fetchall()
    assert held == [(name, name != "page_view", name in REFUNDS) for name in names]


sales = st.lists(
    st.fixed_dictionaries(
        {
            "event_type": st.sampled_from(["Order Completed", "purchase", "refund", "page_view"]),
            "path": st.sampled_from(["/", "/done"]),
            "user_id": st.sampled_from([None, "ann"]),
            "timestamp": times,
            "properties": st.fixed_dictionaries(
                {},
                optional={
                    "order_id": st.sampled_from(["1", "2", 3, "3", ""]),
                    "revenue": st.sampled_from([0.1, "0.20", 30, -1, "?", None]),
                    "currency": st.sampled_from(["EUR", "eur", "USD", "", None]),
                    "products": st.lists(
                        st.sampled_from(
                            [
                                {"sku": "lamp", "name": "Lamp", "price": 1.10},
                                {"sku": "lamp", "name": "Lampe", "price": "2", "quantity": 3},
                                {"sku": "lamp", "price": 1},
                                {"name": "chair", "price": 4, "quantity": 0.25},
                                {"sku": "x" * 100, "name": "ä", "price": 1},
                                {"price": 1},
                                {"sku": "lamp"},
                            ]
                        ),
                        max_size=3,
                    ),
                },
            ),
        }
    ),
    max_size=30,
)
