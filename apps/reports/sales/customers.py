"""GET /customers."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.sales.query import CountedQuery
from apps.reports.shared.endpoint import report
from apps.reports.shared.query import Compare
from apps.reports.shared.responses import JSON, Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.reports.revenue import ORDERS, REFUNDS, RevenueInterval
from db.reports.sales.customers import (
    CustomerPoint,
    CustomerSales,
    CustomersReport,
    CustomerSummary,
    DaysToSecond,
    OrdersPerCustomer,
    customers,
)
from db.reports.shared.ranges import Comparison
from db.reports.shared.report import Question

EXAMPLE = CustomersReport(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 3, 1, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 3, 1, 12, tzinfo=UTC),
    event_types=list(ORDERS),
    refund_types=list(REFUNDS),
    summary=CustomerSummary(
        customers=3,
        new=2,
        returning=1,
        repeat_customers=2,
        repeat_rate=0.666667,
        orders=5,
        anonymous_orders=1,
        median_days_to_second=17.25,
    ),
    currencies=[
        CustomerSales(
            currency="EUR",
            customers=3,
            orders=5,
            revenue="500",
            first_orders=2,
            first_revenue="180",
            repeat_orders=2,
            repeat_revenue="220",
            refunds=1,
            refunded="10",
            net="390",
            value_per_customer="130",
        )
    ],
    orders_per_customer=[OrdersPerCustomer(orders=1, customers=2), OrdersPerCustomer(orders=2, customers=1)],
    days_to_second=[DaysToSecond(days=17, customers=1)],
    interval="month",
    points=[
        CustomerPoint(at=datetime(2026, 1, 1, tzinfo=UTC), customers=2, new=2, returning=0, orders=3),
        CustomerPoint(at=datetime(2026, 2, 1, tzinfo=UTC), customers=2, new=0, returning=2, orders=2),
    ],
)
BAD_INTERVAL = FieldError(field="interval", reason="'day' is too fine for this range", allowed="week, month")


class CustomersQuery(CountedQuery, kw_only=True):
    """The parameters of GET /customers. The filters say which orders and refunds count."""

    compare: Compare = None
    interval: Annotated[
        RevenueInterval | None,
        Meta(description="`day`, `week` or `month`; left out: `day` up to a quarter, else `week`, or as it fits."),
    ] = None

    def comparison(self) -> Comparison | None:
        """Which range to compare with, if any."""
        return self.compare

    def check(self, media_type: str) -> None:
        """Raise BadParameter for what no report of sales may be asked, or a table that cannot be compared."""
        super().check(media_type)
        if self.compare and media_type != JSON:
            raise BadParameter("compare", "is not part of a table of points", "with `format=json`")


@report(
    "/customers",
    query=CustomersQuery,
    summary="New and returning customers",
    example=EXAMPLE,
    rows=EXAMPLE.points,
    table="The customers. As CSV or NDJSON: the points.",
    bad=BAD_INTERVAL,
)
async def get_customers(conn: ReadConnection, question: Question, query: CustomersQuery) -> Table:
    """How many customers ordered, how many of them for the first time, how often they order, how soon again, and what
    first and later orders bring.

    A customer is the user that an order's event names; orders that name none are counted beside them. Orders and
    refunds are those of `GET /revenue`: an order that is sent several times counts once, by its first event. Whether an
    order is somebody's first is looked up in all events that have not expired, also before the range. A refund is that
    of its order's customer (by `order_id`), else of the user that it names.
    """
    found = await customers(conn, question, query.counted(), interval=query.interval)
    return Table(report=found, rows=found.points, columns=columns_of(CustomerPoint))
