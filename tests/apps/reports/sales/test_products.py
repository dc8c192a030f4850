"""GET /products: by hand."""

from typing import Any

import httpx
import pytest

from db.events.event import ReceivedEvent
from db.reports.sales.products import CARTS, CHECKOUTS, VIEWS
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

MARCH = {"from": "2026-03-01", "to": "2026-04-01"}
LAMP = {"product_id": "lamp-3", "name": "Lamp", "category": "Light", "brand": "Ikea", "price": 39.95}
CHAIR = {"item_id": "c", "item_name": "Chair", "item_category": "Seats", "price": "10"}


def did(site: str, user: str | None, kind: str, /, **properties: Any) -> ReceivedEvent:
    return received(site, event_type=kind, user_id=user, properties=properties)


@pytest.fixture
def site(conn: Connection, shop: str, other: str) -> str:
    """Ann buys what she sees, Bob only looks, Eve buys without a look, and in dollars too."""
    euros = {"currency": "EUR", "revenue": 100}
    store_events(
        conn,
        batch(
            did(shop, "ann", "Product Viewed", **LAMP),
            did(shop, "ann", "Product Viewed", **LAMP),
            did(shop, "bob", "view_item", items=[CHAIR, LAMP, LAMP]),
            did(shop, None, "product_viewed", **LAMP),
            did(shop, "bob", "Product Viewed", note="no product"),
            did(shop, "ann", "add_to_cart", items=[LAMP | {"quantity": 2}]),
            did(shop, "ann", "begin_checkout", items=[LAMP, CHAIR]),
            did(shop, "ann", "purchase", **euros, order_id="1", items=[LAMP | {"quantity": 2}, CHAIR]),
            did(shop, "ann", "purchase", **euros, order_id="1", items=[LAMP]),  # sent again
            did(shop, "eve", "Order Completed", **euros, order_id="2", products=[LAMP, LAMP, {"price": 1}]),
            did(shop, "eve", "Order Completed", currency="USD", revenue=9, order_id="3", products=[CHAIR]),
            did(shop, "ann", "refund", **euros, order_id="1", items=[LAMP]),
            did(shop, "ann", "refund", **euros, items=[{"product_id": "lamp-3"}]),
            did(shop, "ann", "refund", currency="EUR", revenue=12.5),
            did(other, "ann", "Product Viewed", **LAMP),
        ),
    )
    return shop


def ask(reporting: httpx.Client, site: str, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get("/products", params={"site_id": site, **MARCH, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    assert report["source"] == "events"
    return report


def test_a_product_from_view_to_refund(reporting: httpx.Client, site: str) -> None:
    report = ask(reporting, site)
    assert (report["currency"], report["currencies"], report["values"]) == ("EUR", ["EUR", "USD"], 2)
    lamp, chair = report["rows"]
    assert lamp == {
        "value": "lamp-3", "name": "Lamp", "views": 4, "viewers": 2, "carts": 1, "checkouts": 1, "orders": 2,
        "quantity": "4", "revenue": "159.8", "buyers": 2, "conversion": 0.5, "returned": "2", "refunded": "39.95",
    }  # fmt: skip
    assert chair == {
        "value": "c", "name": "Chair", "views": 1, "viewers": 1, "carts": 0, "checkouts": 1, "orders": 1,
        "quantity": "1", "revenue": "10", "buyers": 2, "conversion": 0.0, "returned": "0", "refunded": "0",
    }  # fmt: skip
    assert (report["without_value"], report["other_refunds"], report["other_refunded"]) == (None, 1, "12.5")
    dollars = ask(reporting, site, currency="USD", order_by="quantity")["rows"][0]
    assert (dollars["value"], dollars["orders"], dollars["revenue"]) == ("c", 1, "10")


def test_it_has_the_revenue_of_get_revenue(reporting: httpx.Client, site: str) -> None:
    sold = reporting.get("/revenue", params={"site_id": site, **MARCH}).json()["products"]
    names = ("orders", "quantity", "revenue")
    for code in ("EUR", "USD"):
        found = {one["value"]: [one[name] for name in names] for one in ask(reporting, site, currency=code)["rows"]}
        wanted = {one["product"]: [one[name] for name in names] for one in sold if one["currency"] == code}
        assert {name: row for name, row in found.items() if row[0]} == wanted


@pytest.mark.parametrize(("by", "lamp", "chair"), [("category", "Light", "Seats"), ("brand", "Ikea", None)])
def test_by_category_and_brand(
    reporting: httpx.Client, site: str, by: str, lamp: str | None, chair: str | None
) -> None:
    report = ask(reporting, site, by=by)
    rows = {row["value"]: row for row in report["rows"]} | {None: report["without_value"]}
    assert (rows[lamp]["views"], rows[lamp]["revenue"], rows[lamp]["name"]) == (4, "159.8", None)
    assert (rows[chair]["views"], rows[chair]["revenue"]) == (1, "10")
    assert rows[lamp]["refunded"] == "39.95"
    assert report["values"] == len(report["rows"])


@pytest.mark.parametrize(
    ("parameters", "values"),
    [
        ({"order_by": "views"}, ["lamp-3", "c"]),
        ({"order_by": "checkouts"}, ["lamp-3", "c"]),
        ({"order_by": "conversion"}, ["lamp-3", "c"]),
        ({"limit": 1}, ["lamp-3"]),
        ({"search": "CHA"}, ["c"]),
        ({"search": ".*"}, []),
        ({"filter": "user_id:is:bob"}, ["c", "lamp-3"]),
        ({"filter": "event_type:is_not:view_item", "event_type": "nothing", "checkout_type": "nothing"}, ["lamp-3"]),
        ({"date": "2026-03-11", "from": "", "to": ""}, []),
    ],
)
def test_some_of_them(reporting: httpx.Client, site: str, parameters: dict[str, Any], values: list[str]) -> None:
    assert [row["value"] for row in ask(reporting, site, **parameters)["rows"]] == values


def test_the_names_of_the_usual_events(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    store_events(conn, batch(*(did(shop, "ann", kind, sku="s") for kind in (*VIEWS, *CARTS, *CHECKOUTS))))
    report = ask(reporting, shop)
    (row,) = report["rows"]
    assert (row["views"], row["carts"], row["checkouts"]) == (len(VIEWS), len(CARTS), len(CHECKOUTS))
    assert (report["currency"], row["revenue"], row["conversion"]) == (None, "0", 0.0)
    own = ask(reporting, shop, view_type="add_to_cart", cart_type="begin_checkout")["rows"][0]
    assert (own["views"], own["carts"], own["checkouts"]) == (1, 1, len(CHECKOUTS))


@pytest.mark.parametrize(
    ("parameters", "field"),
    [({"by": "colour"}, "by"), ({"order_by": "margin"}, "order_by"), ({"limit": 1001}, "limit")],
)
def test_a_bad_value_is_named(reporting: httpx.Client, shop: str, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get("/products", params={"site_id": shop, **MARCH, **parameters})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
