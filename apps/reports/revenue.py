"""GET /revenue."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.shared.endpoint import report
from apps.reports.shared.query import Compare
from apps.reports.shared.responses import JSON, Table, columns_of
from apps.reports.shared.sales_query import SalesQuery
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.reports.revenue import ORDERS, REFUNDS, Revenue, RevenueInterval, revenue
from db.reports.shared.ranges import Comparison
from db.reports.shared.report import Question
from db.reports.shared.sale_figures import CurrencySales, Ignored, ProductSales, SalesPoint

EXAMPLE = Revenue(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="rollups",
    as_of=datetime(2026, 2, 1, 12, tzinfo=UTC),
    event_types=list(ORDERS),
    refund_types=list(REFUNDS),
    currencies=[
        CurrencySales(
            currency="EUR", orders=12, revenue="1438.8", average_order_value="119.9", refunds=1, refunded="10"
        )
    ],
    products=[ProductSales(currency="EUR", product="lamp-3", name="Lamp", orders=7, quantity="9", revenue="359.1")],
    repeated=3,
    ignored=[Ignored(what="order", reason="currency_missing", count=2)],
)
BAD_LIMIT = FieldError(field="limit", reason="should be at most 100", allowed="how many, from 1 to 100")


class RevenueQuery(SalesQuery, kw_only=True):
    """The parameters of GET /revenue."""

    compare: Compare = None
    interval: Annotated[
        RevenueInterval | None, Meta(description="`day`, `week` or `month`: have a series as well, in `points`.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=100, description="How many products of each currency, from 1 to 100.")] = 10

    def comparison(self) -> Comparison | None:
        """Which range to compare with, if any."""
        return self.compare

    def check(self, media_type: str) -> None:
        """Raise BadParameter for an event type that is both, or a table that cannot have what it is compared with."""
        super().check(media_type)
        if self.compare and self.interval and media_type != JSON:
            allowed = "without `interval`, or with `format=json`"
            raise BadParameter("compare", "is not part of a table of points", allowed)


@report(
    "/revenue",
    query=RevenueQuery,
    summary="Orders, revenue and products",
    example=EXAMPLE,
    table="The report. As CSV or NDJSON: its points if there is an interval, else its currencies.",
    bad=BAD_LIMIT,
)
async def get_revenue(conn: ReadConnection, question: Question, query: RevenueQuery) -> Table:
    """What a shop sold and took back, by currency; amounts of different currencies are never added.

    **Orders** are events with these properties: `revenue`, else `total`, else `value`; `currency`; `order_id`, else
    `transaction_id`; and `products`, else `items`: objects with `product_id`, `sku`, `item_id`, `name` or `item_name`,
    `price`, and `quantity` (left out: 1). Numbers may be text, such as "119.90", and lists JSON in a text. What is
    null, empty or blank, or an empty list or object, is as if it were not there.

    An order that is sent several times counts once: by the first of its events that can be counted, by event_time, even
    where that is before the range. An order without an id counts each time it is sent. **Refunds** count each; their
    amount may be written with or without a minus.

    Sums are exact; the amounts of the report are rounded, each by itself, to the digits that ISO 4217 gives their
    currency (JPY 0, EUR 2, KWD 3; half up, without zeros at the end). Amounts in what is no such currency stay as they
    are.

    Each order and each refund of the range is in `currencies`, `repeated` or `ignored`. What of a counted
    order's products cannot be counted is in `ignored` too: entries, and as `products_invalid` orders whose products are
    no list.

    For days of the site's own timezone, without filters and with the usual event types, the report is from rollups: at
    once, for any number of orders. Anything else is counted from the events, which takes longer.
    """
    found = await revenue(
        conn,
        question,
        orders=query.orders(),
        refunds=query.refunds(),
        products=query.limit,
        interval=query.interval,
    )
    if found.points is not None:
        return Table(report=found, rows=found.points, columns=columns_of(SalesPoint))
    before = None if found.compare is None else _matched(found.currencies, found.compare)
    return Table(report=found, rows=found.currencies, columns=columns_of(CurrencySales), compare=before)


def _matched(currencies: list[CurrencySales], others: list[CurrencySales]) -> list[CurrencySales | None]:
    """The others in the order of these currencies, then those that are not among them."""
    left = {other.currency: other for other in others}
    return [left.pop(sales.currency, None) for sales in currencies] + list(left.values())
