"""GET /customers: how many customers order, for the first time and again, how often, and how soon."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.events.errors import BadParameter
from db.reports.revenue import RevenueInterval, longer_intervals
from db.reports.sales.counted import SIGNED, Counted, Revenue
from db.reports.shared.currencies import average, shown
from db.reports.shared.report import ComparedReport, Question, compared, rows, share, source_of
from db.reports.shared.sale_figures import Currency, Refunded
from db.reports.timeseries import STEPS

QUERY = "customers"
#: How many days a series has at most, for which it is by day where no interval is given.
DAYS = 92

Customers = Annotated[int, Meta(description="Different users who ordered.", examples=[120])]


class CustomerPoint(msgspec.Struct, kw_only=True):
    """The customers of one bucket."""

    at: Annotated[datetime, Meta(description="When the bucket begins; weeks begin on Monday.")]
    customers: Customers = 0
    new: Annotated[int, Meta(description="Of them, those whose first order is in the bucket.", examples=[90])] = 0
    returning: Annotated[int, Meta(description="Those who had ordered before it.", examples=[30])] = 0
    orders: Annotated[int, Meta(description="All orders, also those that name no user.", examples=[131])] = 0


class CustomerSummary(msgspec.Struct, kw_only=True):
    """The customers of a range in numbers; null where there is nothing to divide by."""

    customers: Customers
    new: Annotated[int, Meta(description="Of them, those whose first order is in the range.", examples=[90])]
    returning: Annotated[int, Meta(description="Those who had ordered before it.", examples=[30])]
    repeat_customers: Annotated[
        int,
        Meta(description="Customers of the range who had ordered twice or more by its end, since ever.", examples=[36]),
    ]
    repeat_rate: Annotated[float | None, Meta(description="Their share of `customers`, 0 to 1.", examples=[0.3])]
    orders: Annotated[int, Meta(examples=[131])]
    anonymous_orders: Annotated[int, Meta(description="Orders that name no user, who are no customers.", examples=[4])]
    median_days_to_second: Annotated[
        float | None,
        Meta(description="Of the second orders in the range: days since their customer's first one.", examples=[17.25]),
    ]


class CustomerSales(msgspec.Struct, kw_only=True):
    """What they paid in one currency."""

    currency: Currency
    customers: Customers
    orders: Annotated[int, Meta(examples=[131])]
    revenue: Revenue
    first_orders: Annotated[int, Meta(description="Orders that are their customer's first.", examples=[90])]
    first_revenue: Revenue
    repeat_orders: Annotated[int, Meta(description="Those that are not.", examples=[37])]
    repeat_revenue: Revenue
    refunds: Annotated[int, Meta(examples=[1])]
    refunded: Refunded
    net: Annotated[
        str,
        Meta(description="`first_revenue` and `repeat_revenue` less refunds to customers.", pattern=SIGNED),
    ]
    value_per_customer: Annotated[
        str | None, Meta(description="`net` by `customers`; null without any.", examples=["99.9"])
    ]


class OrdersPerCustomer(msgspec.Struct, kw_only=True):
    """How many customers ordered so often in the range."""

    orders: Annotated[int, Meta(examples=[1])]
    customers: Annotated[int, Meta(examples=[110])]


class DaysToSecond(msgspec.Struct, kw_only=True):
    """How many customers took so long from their first order to their second."""

    days: Annotated[int, Meta(description="Whole days of 24 hours that had passed.", examples=[17])]
    customers: Annotated[int, Meta(examples=[3])]


class CustomersReport(ComparedReport, kw_only=True, omit_defaults=True):
    """The customers of a range."""

    event_types: Annotated[list[str], Meta(description="The event types that were taken for orders.")]
    refund_types: Annotated[list[str], Meta(description="The event types that were taken for refunds.")]
    summary: CustomerSummary
    currencies: Annotated[list[CustomerSales], Meta(description="The currency with most orders first.")]
    orders_per_customer: list[OrdersPerCustomer]
    days_to_second: Annotated[list[DaysToSecond], Meta(description="Of the second orders that are in the range.")]
    interval: RevenueInterval
    points: Annotated[list[CustomerPoint], Meta(description="A point a bucket, also where nobody ordered.")]
    compare: Annotated[
        CustomerSummary | None, Meta(description="With `compare`: the summary of the range compared with.")
    ] = None


async def customers(
    conn: AsyncConnection, question: Question, counted: Counted, *, interval: RevenueInterval | None = None
) -> CustomersReport:
    """The customers. Raises BadParameter."""
    allowed = longer_intervals(question)
    days = (question.range.end - question.range.start).days
    interval = interval or next((name for name in allowed if name != "day" or days <= DAYS), "month")
    if interval not in allowed:
        raise BadParameter("interval", f"{interval!r} is too fine for this range", ", ".join(allowed))
    row = await _row(conn, question, counted, interval)
    other = await compared(conn, question)
    before = _summary(await _row(conn, other, counted, interval)) if other else None
    buckets = await rows(conn, question, "buckets", interval=interval, step=STEPS[interval])
    points = {one.at.astimezone(UTC): one for one in msgspec.convert(row["points"], list[CustomerPoint])}
    return CustomersReport(
        **question.head(source_of(QUERY), other),
        event_types=list(counted.orders),
        refund_types=list(counted.refunds),
        summary=_summary(row),
        currencies=[_shown(one) for one in row["currencies"]],
        orders_per_customer=msgspec.convert(row["orders_per_customer"], list[OrdersPerCustomer]),
        days_to_second=msgspec.convert(row["days_to_second"], list[DaysToSecond]),
        interval=interval,
        points=[
            msgspec.structs.replace(
                points.get(bucket["at"].astimezone(UTC), CustomerPoint(at=bucket["at"])),
                at=question.range.begin(bucket["at"], interval),
            )
            for bucket in buckets
        ],
        compare=before,
    )


async def _row(conn: AsyncConnection, question: Question, counted: Counted, interval: str) -> dict[str, Any]:
    (row,) = await rows(conn, question, QUERY, interval=interval, **counted.parameters())
    return row


def _summary(row: dict[str, Any]) -> CustomerSummary:
    names = [name for name in CustomerSummary.__struct_fields__ if name in row]
    return CustomerSummary(
        **{name: row[name] for name in names},
        returning=row["customers"] - row["new"],
        repeat_rate=share(row["repeat_customers"], row["customers"]),
    )


def _shown(row: dict[str, Any]) -> CustomerSales:
    code = row["currency"]
    amounts = {
        name: shown(row[name], code) for name in ("revenue", "first_revenue", "repeat_revenue", "refunded", "net")
    }
    return CustomerSales(**row | amounts, value_per_customer=average(row["net"], row["customers"], code))
