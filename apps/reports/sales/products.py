"""GET /products."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from apps.reports.sales.query import CountedQuery
from apps.reports.shared.endpoint import report
from apps.reports.shared.responses import Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import FieldError
from db.events.event import EventType
from db.reports.revenue import ORDERS, REFUNDS
from db.reports.sales.products import (
    CARTS,
    CHECKOUTS,
    VIEWS,
    Criteria,
    OrderBy,
    Part,
    ProductRow,
    Products,
    products,
)
from db.reports.shared.report import Question

EXAMPLE = Products(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 2, 1, 12, tzinfo=UTC),
    by="product",
    currency="EUR",
    currencies=["EUR"],
    order_by="revenue",
    event_types=list(ORDERS),
    refund_types=list(REFUNDS),
    view_types=list(VIEWS),
    cart_types=list(CARTS),
    checkout_types=list(CHECKOUTS),
    values=42,
    rows=[
        ProductRow(
            value="lamp-3",
            name="Lamp",
            views=120,
            viewers=100,
            carts=24,
            checkouts=16,
            orders=12,
            quantity="14",
            revenue="559.3",
            buyers=12,
            conversion=0.11,
            returned="1",
            refunded="39.95",
        )
    ],
    without_value=None,
    other_refunds=1,
    other_refunded="10",
)
BAD_ORDER_BY = FieldError(field="order_by", reason="'margin' is not one of revenue, ...", allowed="revenue, ...")


class ProductsQuery(CountedQuery, kw_only=True):
    """The parameters of GET /products. The filters are for events of all kinds."""

    by: Annotated[Part, Meta(description="`product`, `category` or `brand`.")] = "product"
    currency: (
        Annotated[
            str,
            Meta(
                pattern="^[A-Z]{3}$",
                description="Orders, quantities and money are those of this currency (ISO 4217, in capitals); left "
                "out: of the one with most orders.",
            ),
        ]
        | None
    ) = None
    order_by: Annotated[OrderBy, Meta(description="By which column those with most come first.")] = "revenue"
    search: Annotated[
        str,
        Meta(max_length=200, description="Only what has this text in its value or name, in small or large letters."),
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many rows at most: 1 to 1,000; left out: 10.")] = 10
    view_type: Annotated[
        list[EventType],
        Meta(description=f"Which event types are views; may be repeated; left out: {', '.join(VIEWS)}."),
    ] = msgspec.field(default_factory=list)
    cart_type: Annotated[
        list[EventType],
        Meta(description=f"Which put something into a cart; may be repeated; left out: {', '.join(CARTS)}."),
    ] = msgspec.field(default_factory=list)
    checkout_type: Annotated[
        list[EventType],
        Meta(description=f"Which are begun checkouts; may be repeated; left out: {', '.join(CHECKOUTS)}."),
    ] = msgspec.field(default_factory=list)

    def criteria(self) -> Criteria:
        """Which products are asked for."""
        return Criteria(
            by=self.by,
            order_by=self.order_by,
            search=self.search,
            limit=self.limit,
            views=self.view_type or VIEWS,
            carts=self.cart_type or CARTS,
            checkouts=self.checkout_type or CHECKOUTS,
        )


@report(
    "/products",
    query=ProductsQuery,
    summary="Products from view to refund",
    example=EXAMPLE,
    table="The products. As CSV or NDJSON: the rows.",
    bad=BAD_ORDER_BY,
)
async def get_products(conn: ReadConnection, question: Question, query: ProductsQuery) -> Table:
    """How often each product, category or brand was viewed, added to a cart, taken to a checkout, ordered and refunded.

    An event has its products in `products`, else `items` (lists, also as JSON in a text), or is itself about one: then
    `product_id`, `name`, `category` and so on are among its own properties. A product that is several times in an event
    counts once, with the sum of its quantities. Orders and refunds are those of `GET /revenue`, and so are quantity and
    revenue; refunds that list no products are in `other_refunds`.

    `conversion` is about people: of the users who viewed it in the range, the share who ordered it in the range.
    """
    found = await products(conn, question, query.counted(), query.criteria())
    return Table(report=found, rows=found.rows, columns=columns_of(ProductRow))
