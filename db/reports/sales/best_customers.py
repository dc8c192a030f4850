"""GET /customers/best: the customers who brought a shop the most."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.reports.sales.counted import Counted, Net, Revenue
from db.reports.shared.currencies import shown
from db.reports.shared.report import Question, Report, rows, source_of
from db.reports.shared.sale_figures import Currency, Refunded

QUERY = "customers_best"


class BestCustomer(msgspec.Struct, kw_only=True):
    """What a customer brought in one currency."""

    currency: Currency
    rank: Annotated[int, Meta(description="Their place in this currency, by `net`.", examples=[1])]
    user_id: Annotated[str, Meta(examples=["customer-17"])]
    orders: Annotated[int, Meta(examples=[4])]
    revenue: Revenue
    refunds: Annotated[int, Meta(examples=[1])]
    refunded: Refunded
    net: Net
    first_order: Annotated[datetime, Meta(description="Their first order in this currency, since ever.")]
    last_order: Annotated[datetime, Meta(description="Their last one up to the range's end.")]


class Number(msgspec.Struct, kw_only=True):
    """How many customers there are in a currency."""

    currency: Currency
    customers: Annotated[int, Meta(examples=[120])]


class BestCustomers(Report, kw_only=True):
    """The customers with most net revenue of a range."""

    totals: Annotated[list[Number], Meta(description="How many ordered, by currency.")]
    customers: Annotated[list[BestCustomer], Meta(description="By currency, the best first; equals by `user_id`.")]


async def best_customers(conn: AsyncConnection, question: Question, counted: Counted, *, limit: int) -> BestCustomers:
    """At most `limit` of each currency."""
    found = await rows(conn, question, QUERY, limit=limit, **counted.parameters())
    totals = {row["currency"]: row.pop("customers") for row in found}
    return BestCustomers(
        **question.head(source_of(QUERY)),
        totals=[Number(currency=code, customers=number) for code, number in totals.items()],
        customers=[_shown(question, row) for row in found],
    )


def _shown(question: Question, row: dict[str, Any]) -> BestCustomer:
    amounts = {name: shown(row[name], row["currency"]) for name in ("revenue", "refunded", "net")}
    moments = {name: question.range.local(row[name]) for name in ("first_order", "last_order")}
    return BestCustomer(**row | amounts | moments)
