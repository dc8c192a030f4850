"""GET /products: what was seen, put into carts, ordered and refunded of each product, category or brand."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.reports.sales.counted import Counted, Revenue
from db.reports.shared.currencies import shown
from db.reports.shared.filters import any_case
from db.reports.shared.report import Question, Report, rows, share, source_of
from db.reports.shared.sale_figures import NUMBER, Currency, Refunded

#: The event types that are views of a product, additions to a cart and begun checkouts where none are requested: those
#: of Segment, Google Analytics 4, Meta and Shopify.
VIEWS = ("Product Viewed", "product_viewed", "view_item", "ViewContent")
CARTS = ("Product Added", "product_added", "add_to_cart", "AddToCart", "product_added_to_cart")
CHECKOUTS = ("Checkout Started", "checkout_started", "begin_checkout", "InitiateCheckout")

QUERY = "products"

Part = Literal["product", "category", "brand"]
OrderBy = Literal[
    "revenue", "quantity", "orders", "views", "viewers", "carts", "checkouts", "buyers", "conversion", "returned",
    "refunded",
]  # fmt: skip
Quantity = Annotated[str, Meta(pattern=NUMBER, examples=["9"])]


class ProductRow(msgspec.Struct, kw_only=True):
    """One product, category or brand."""

    value: Annotated[
        str | None,
        Meta(
            description="Of a product the first of `product_id`, `sku`, `item_id`, `name`, `item_name`; its `category` "
            "or `item_category`; its `brand` or `item_brand`.",
            examples=["lamp-3"],
        ),
    ]
    name: Annotated[str | None, Meta(description="A product's `name` or `item_name`; of several, one.")]
    views: Annotated[int, Meta(description="Events in which it was viewed.", examples=[120])]
    viewers: Annotated[int, Meta(description="Different users who viewed it.", examples=[100])]
    carts: Annotated[int, Meta(description="Events in which it was added to a cart.", examples=[24])]
    checkouts: Annotated[int, Meta(description="Begun checkouts that have it.", examples=[16])]
    orders: Annotated[int, Meta(description="Orders in `currency` that have it.", examples=[12])]
    quantity: Quantity
    revenue: Revenue
    buyers: Annotated[int, Meta(description="Different users who ordered it, in any currency.", examples=[12])]
    conversion: Annotated[
        float | None,
        Meta(description="Of its viewers, the share who ordered it in the range; null without any.", examples=[0.11]),
    ]
    returned: Annotated[str, Meta(description="The quantity in the refunds of the range.", pattern=NUMBER)]
    refunded: Refunded


class Products(Report, kw_only=True):
    """The products of a range."""

    by: Part
    currency: Annotated[
        Currency | None, Meta(description="That of orders, quantities and money; null if nothing was ordered.")
    ]
    currencies: Annotated[list[str], Meta(description="All currencies of the range's orders, most orders first.")]
    order_by: OrderBy
    event_types: Annotated[list[str], Meta(description="The event types that were taken for orders.")]
    refund_types: list[str]
    view_types: list[str]
    cart_types: list[str]
    checkout_types: list[str]
    values: Annotated[int, Meta(description="How many different ones match `search`.", examples=[42])]
    rows: Annotated[list[ProductRow], Meta(description="Those with most of `order_by`; equals by views and value.")]
    without_value: Annotated[
        ProductRow | None, Meta(description="All products that have no category or brand; null if there is none.")
    ]
    other_refunds: Annotated[int, Meta(description="Refunds in `currency` that name no products.", examples=[1])]
    other_refunded: Annotated[str, Meta(description="Their amount.", pattern=NUMBER, examples=["10"])]


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """Which products are asked for, and which events are about them."""

    by: Part
    order_by: OrderBy
    search: str
    limit: int
    views: Sequence[str]
    carts: Sequence[str]
    checkouts: Sequence[str]


async def products(conn: AsyncConnection, question: Question, counted: Counted, criteria: Criteria) -> Products:
    """At most `limit` of them."""
    (row,) = await rows(
        conn,
        question,
        QUERY,
        part=criteria.by,
        order_by=criteria.order_by,
        search=any_case(criteria.search),
        limit=criteria.limit,
        view_types=list(criteria.views),
        cart_types=list(criteria.carts),
        checkout_types=list(criteria.checkouts),
        **counted.parameters(),
    )
    code = row["currency"]
    return Products(
        **question.head(source_of(QUERY)),
        by=criteria.by,
        currency=code,
        currencies=row["currencies"],
        order_by=criteria.order_by,
        event_types=list(counted.orders),
        refund_types=list(counted.refunds),
        view_types=list(criteria.views),
        cart_types=list(criteria.carts),
        checkout_types=list(criteria.checkouts),
        values=row["values"],
        rows=[_shown(one, criteria.by, code) for one in row["rows"]],
        without_value=_shown(row["without_value"], criteria.by, code) if row["without_value"] else None,
        other_refunds=row["other_refunds"],
        other_refunded=shown(row["other_refunded"], code or ""),
    )


def _shown(row: dict[str, Any], by: Part, code: str | None) -> ProductRow:
    found = {name: row[name] for name in ProductRow.__struct_fields__ if name in row}
    return ProductRow(
        **found
        | {
            "value": row["value"] or None,
            "name": row["name"] if by == "product" else None,
            "revenue": shown(row["revenue"], code or ""),
            "refunded": shown(row["refunded"], code or ""),
        },
        conversion=share(row["viewers_who_bought"], row["viewers"]),
    )
