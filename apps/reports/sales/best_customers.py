"""GET /customers/best."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.sales.query import CountedQuery
from apps.reports.shared.endpoint import report
from apps.reports.shared.responses import Table, columns_of
from db.access.scopes import Scope
from db.connections.pools import ReadConnection
from db.events.errors import FieldError
from db.reports.sales.best_customers import BestCustomer, BestCustomers, Number, best_customers
from db.reports.shared.report import Question

EXAMPLE = BestCustomers(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 2, 1, 12, tzinfo=UTC),
    totals=[Number(currency="EUR", customers=120)],
    customers=[
        BestCustomer(
            currency="EUR",
            rank=1,
            user_id="customer-17",
            orders=4,
            revenue="419.9",
            refunds=1,
            refunded="10",
            net="409.9",
            first_order=datetime(2025, 11, 3, 9, 30, tzinfo=UTC),
            last_order=datetime(2026, 1, 28, 17, 5, 30, tzinfo=UTC),
        )
    ],
)
BAD_LIMIT = FieldError(field="limit", reason="should be at most 1000", allowed="1 to 1,000")


class BestCustomersQuery(CountedQuery, kw_only=True):
    """The parameters of GET /customers/best. The filters say which orders and refunds count."""

    limit: Annotated[
        int, Meta(ge=1, le=1000, description="How many customers of each currency: 1 to 1,000; left out: 10.")
    ] = 10


@report(
    "/customers/best",
    query=BestCustomersQuery,
    summary="Best customers",
    example=EXAMPLE,
    rows=EXAMPLE.customers,
    table="The customers. As CSV or NDJSON: a row a customer and currency.",
    bad=BAD_LIMIT,
    scope=Scope.EVENTS_READ,
)
async def get_best_customers(conn: ReadConnection, question: Question, query: BestCustomersQuery) -> Table:
    """The customers who ordered in the range and brought the most in it, refunds taken off, by currency.

    It names users, and so needs the scope `events:read`. Customers, orders and refunds are those of `GET /customers`;
    for what customers brought in all, ask for `period=all`.
    """
    found = await best_customers(conn, question, query.counted(), limit=query.limit)
    return Table(report=found, rows=found.customers, columns=columns_of(BestCustomer))
