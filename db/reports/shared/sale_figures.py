"""The figures of sales: orders, refunds and products, as reports show them."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

#: Numbers are exact and returned as text: money is no binary fraction.
NUMBER = r"^[0-9]+(\.[0-9]+)?$"
Currency = Annotated[str, Meta(description="ISO 4217, in capitals.", pattern="^[A-Z]{3}$", examples=["EUR"])]
Orders = Annotated[int, Meta(examples=[12])]
Refunds = Annotated[int, Meta(examples=[1])]
Sold = Annotated[str, Meta(description="Of the orders; refunds are not taken off.", pattern=NUMBER, examples=["119.9"])]
Refunded = Annotated[
    str,
    Meta(description="Of the range's refunds, whenever that was ordered.", pattern=NUMBER, examples=["10"]),
]


class CurrencySales(msgspec.Struct, kw_only=True):
    """Orders and refunds in one currency."""

    currency: Currency
    orders: Orders
    revenue: Sold
    average_order_value: Annotated[
        str | None,
        Meta(description="`revenue` by `orders`, rounded likewise; null without orders.", examples=["9.99"]),
    ]
    refunds: Refunds
    refunded: Refunded


class SalesPoint(msgspec.Struct, kw_only=True):
    """Orders and refunds in one bucket and currency."""

    at: Annotated[datetime, Meta(description="When the bucket begins; weeks begin on Monday.")]
    currency: Currency
    orders: Orders = 0
    revenue: Sold = "0"
    refunds: Refunds = 0
    refunded: Refunded = "0"


class ProductSales(msgspec.Struct, kw_only=True):
    """What of a product was ordered in one currency."""

    currency: Currency
    product: Annotated[
        str,
        Meta(description="The first of `product_id`, `sku`, `item_id`, `name`, `item_name`.", examples=["lamp-3"]),
    ]
    name: Annotated[str | None, Meta(description="`name` or `item_name`; of several, one.", examples=["Lamp"])]
    orders: Annotated[int, Meta(description="In how many orders it was.", examples=[7])]
    quantity: Annotated[str, Meta(pattern=NUMBER, examples=["9"])]
    revenue: Annotated[
        str, Meta(description="The sum of `price` times `quantity`.", pattern=NUMBER, examples=["119.9"])
    ]


class Ignored(msgspec.Struct, kw_only=True):
    """What could not be counted."""

    what: Literal["order", "refund", "product"]
    reason: Literal[
        "public_key",
        "revenue_missing",
        "revenue_invalid",
        "revenue_negative",
        "currency_missing",
        "currency_invalid",
        "products_invalid",
        "product_missing",
        "price_invalid",
        "quantity_invalid",
    ]
    count: Annotated[
        int,
        Meta(
            description="Events; with `product`: entries in counted orders, or such orders whose products are no list.",
            examples=[2],
        ),
    ]
