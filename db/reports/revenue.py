"""GET /revenue: what a shop sold and took back, by currency, and its products."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.events.errors import BadParameter
from db.reports.shared.currencies import average, shown, sum_of
from db.reports.shared.parts import parts
from db.reports.shared.ranges import Range
from db.reports.shared.report import ComparedReport, Question, Source, compared, rows, source_of
from db.reports.shared.sale_figures import CurrencySales, Ignored, ProductSales, SalesPoint
from db.reports.timeseries import STEPS, intervals

#: The event types that are orders and refunds where none are requested. The rollups (by the function is_sale) and the
#: index events_sales hold just these.
ORDERS = ("Order Completed", "order_completed", "purchase", "Purchase", "checkout_completed")
REFUNDS = ("Order Refunded", "order_refunded", "refund", "Refund")
#: Points that a series may have over all currencies.
MAX_POINTS = 10_000

RevenueInterval = Literal["day", "week", "month"]

Sales = TypeVar("Sales", CurrencySales, SalesPoint, ProductSales)


class Revenue(ComparedReport, kw_only=True, omit_defaults=True):
    """What a shop sold and took back."""

    event_types: Annotated[list[str], Meta(description="The event types that were taken for orders.")]
    refund_types: Annotated[list[str], Meta(description="The event types that were taken for refunds.")]
    currencies: Annotated[list[CurrencySales], Meta(description="The currency with most orders first.")]
    products: Annotated[
        list[ProductSales],
        Meta(description="In each currency, the products with most revenue."),
    ]
    repeated: Annotated[
        int, Meta(description="Events of orders that are counted by an earlier event of theirs.", examples=[3])
    ]
    ignored: Annotated[list[Ignored], Meta(description="What could not be counted, by reason.")]
    interval: RevenueInterval | None = None
    points: Annotated[
        list[SalesPoint] | None,
        Meta(description="With `interval`: a point for each bucket and each of the currencies, also of nothing."),
    ] = None
    compare: Annotated[
        list[CurrencySales] | None, Meta(description="With `compare`: the currencies of the range compared with.")
    ] = None


class ExactSales(msgspec.Struct, kw_only=True):
    """What the report's query returns, exactly."""

    currencies: list[CurrencySales]
    products: list[ProductSales]
    points: list[SalesPoint]
    repeated: int
    ignored: list[Ignored]
    source: Source


async def revenue(
    conn: AsyncConnection,
    question: Question,
    *,
    orders: Sequence[str],
    refunds: Sequence[str],
    products: int,
    interval: RevenueInterval | None = None,
) -> Revenue:
    """Orders and refunds of these event types, at most `products` products a currency, and points with an interval.

    Raises BadParameter.
    """
    allowed = longer_intervals(question)
    if interval and interval not in allowed:
        raise BadParameter("interval", f"{interval!r} is too fine for this range", ", ".join(allowed))
    found = await exact_sales(conn, question, orders=orders, refunds=refunds, products=products, interval=interval)
    other = await compared(conn, question)
    before = await _currencies(conn, other, orders, refunds) if other else None
    return Revenue(
        **question.head(found.source, other),
        event_types=list(orders),
        refund_types=list(refunds),
        currencies=_rounded(found.currencies),
        products=_rounded(found.products),
        repeated=found.repeated,
        ignored=found.ignored,
        interval=interval,
        points=_rounded(found.points) if interval else None,
        compare=_rounded(before) if before is not None else None,
    )


def longer_intervals(question: Question) -> list[RevenueInterval]:
    """The intervals of sales that the length of a range allows."""
    allowed = intervals(question)
    return [name for name in get_args(RevenueInterval) if name in allowed]


async def exact_sales(
    conn: AsyncConnection,
    question: Question,
    *,
    orders: Sequence[str],
    refunds: Sequence[str],
    products: int,
    interval: RevenueInterval | None = None,
) -> ExactSales:
    """The same with exact amounts, and without what it is compared with."""
    parameters = {
        "order_types": list(orders),
        "refund_types": list(refunds),
        "usual": is_usual(orders, refunds),
        "limit": products,
        "interval": interval,
    }
    query = "revenue_by_days" if await _held(conn, question, orders, refunds) else "revenue_from_events"
    (row,) = await rows(conn, question, query, **parameters)
    found = msgspec.convert(row | {"source": source_of(query)}, ExactSales)
    if interval:
        buckets = await rows(conn, question, "buckets", **parameters, step=STEPS[interval])
        found.points = _filled(found, [bucket["at"] for bucket in buckets], question.range, interval)
    return found


async def _currencies(
    conn: AsyncConnection, question: Question, orders: Sequence[str], refunds: Sequence[str]
) -> list[CurrencySales]:
    """What was sold by currency, added up from the parts of a range that ends within a day."""
    found: dict[str, CurrencySales] = {}
    for part in await parts(conn, question):
        for one in (await exact_sales(conn, part, orders=orders, refunds=refunds, products=0)).currencies:
            before = found.get(one.currency)
            found[one.currency] = _sum(before, one) if before else one
    return sorted(found.values(), key=lambda one: (-one.orders, one.currency))


def _sum(one: CurrencySales, other: CurrencySales) -> CurrencySales:
    """The average is that of what is shown."""
    return msgspec.structs.replace(
        one,
        orders=one.orders + other.orders,
        revenue=sum_of(one.revenue, other.revenue),
        refunds=one.refunds + other.refunds,
        refunded=sum_of(one.refunded, other.refunded),
    )


def _rounded(sales: Sequence[Sales]) -> list[Sales]:
    """The same with amounts rounded to the digits of their currencies."""
    return [_shown(one) for one in sales]


def _shown(sales: Sales) -> Sales:
    names = [name for name in ("revenue", "refunded") if name in sales.__struct_fields__]
    amounts: dict[str, Any] = {name: shown(getattr(sales, name), sales.currency) for name in names}
    if isinstance(sales, CurrencySales):
        amounts["average_order_value"] = average(sales.revenue, sales.orders, sales.currency)
    return msgspec.structs.replace(sales, **amounts)


def is_usual(orders: Sequence[str], refunds: Sequence[str]) -> bool:
    """Whether these are the event types that the rollups hold."""
    return set(orders) == set(ORDERS) and set(refunds) == set(REFUNDS)


async def _held(conn: AsyncConnection, question: Question, orders: Sequence[str], refunds: Sequence[str]) -> bool:
    """Whether the rollups hold what is requested: days of the site, all events of the usual types."""
    if is_usual(orders, refunds) and question.range.days_fit and not question.filters.conditions:
        (row,) = await rows(conn, question, "sales_held")
        return bool(row["held"])
    return False


def _filled(sold: ExactSales, buckets: list[datetime], covered: Range, interval: RevenueInterval) -> list[SalesPoint]:
    """A point for each bucket and currency."""
    currencies = [sales.currency for sales in sold.currencies]
    if len(buckets) * len(currencies) > MAX_POINTS:
        raise BadParameter("interval", f"is too fine for this range with {len(currencies)} currencies")
    # In UTC: a time that a clock shows twice is found by no time of another timezone.
    found = {(point.at.astimezone(UTC), point.currency): point for point in sold.points}
    points = []
    for bucket in buckets:
        at = covered.begin(bucket, interval)
        for currency in currencies:
            point = found.get((bucket.astimezone(UTC), currency), SalesPoint(at=at, currency=currency))
            points.append(msgspec.structs.replace(point, at=at))
    return points
