"""The figures of visits: what they are, and how a row of a query shows them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.reports.shared.currencies import average, shown
from db.reports.shared.report import Question, rows, share
from db.reports.shared.sale_figures import Currency

VisitMetric = Literal[
    "visits", "people", "views", "bounces", "carts", "checkouts", "orders", "revenue", "conversion", "average_order"
]  # fmt: skip
METRICS: tuple[VisitMetric, ...] = get_args(VisitMetric)
#: Those that are in a currency.
OF_MONEY = ("revenue", "average_order")
EXPLAINED = (
    "`visits`; `people`: different persons who had them; `views`: their events of type `page_view`; `bounces`: visits "
    "of a single event; `carts`, `checkouts`: events that put something into a cart, or begin to pay; `orders`: those "
    "that count (as in `/revenue`) while the visit lasts; `revenue`: of these orders in `currency`, refunds not taken "
    "off; `conversion`: the share of visits with an order; `average_order`: `revenue` by its orders"
)


class Figures(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was asked for of some visits; without what was not."""

    visits: Annotated[int | None, Meta(examples=[480])] = None
    people: Annotated[int | None, Meta(description="Different persons.", examples=[417])] = None
    views: Annotated[int | None, Meta(examples=[1920])] = None
    bounces: Annotated[int | None, Meta(description="Visits of a single event.", examples=[120])] = None
    carts: Annotated[int | None, Meta(description="Events that put something into a cart.", examples=[60])] = None
    checkouts: Annotated[int | None, Meta(description="Events that begin to pay.", examples=[20])] = None
    orders: Annotated[int | None, Meta(examples=[12])] = None
    revenue: Annotated[str | None, Meta(description="In `currency`.", examples=["1438.8"])] = None
    conversion: Annotated[
        float | None, Meta(description="Visits with an order by visits, from 0 to 1.", examples=[0.025])
    ] = None
    average_order: Annotated[
        str | None,
        Meta(description="In `currency`; left out without such orders.", examples=["119.9"]),
    ] = None


class Currencies(msgspec.Struct, frozen=True):
    """The currency that revenue is in, and all in which a range has orders."""

    asked: str | None
    found: Sequence[str]

    @property
    def used(self) -> str | None:
        """The currency that was asked for, else the one with most orders; None where nobody ordered."""
        return self.asked or next(iter(self.found), None)


CurrencyOfReport = Annotated[
    Currency | None,
    Meta(description="With `revenue` or `average_order`: their currency; left out where there are no orders."),
]
AllCurrencies = Annotated[
    list[str] | None,
    Meta(description="With these: all currencies of the range's orders, those with most orders first."),
]


async def currencies(
    conn: AsyncConnection, question: Question, asked: str | None, metrics: Sequence[str]
) -> Currencies:
    """The currencies of a range's orders, if a metric needs them."""
    if not set(metrics) & set(OF_MONEY):
        return Currencies(None, ())
    unfiltered = msgspec.structs.replace(question, filters=msgspec.structs.replace(question.filters, visits={}))
    found = await rows(conn, unfiltered, "visits_currencies")
    return Currencies(asked, [row["currency"] for row in found])


def figures(row: Mapping[str, Any], metrics: Sequence[str], currency: str | None) -> dict[str, Any]:
    """The metrics of a row of count_visits."""
    money = currency or ""
    found = {
        "revenue": shown(row["revenue"], money) if currency else "0",
        "conversion": share(row["converted"], row["visits"]),
        "average_order": average(row["revenue"], row["paid"], money),
    }
    return {name: found[name] if name in found else row[name] for name in metrics}


#: Those of no visits.
NONE = dict.fromkeys((*METRICS, "events", "converted", "paid"), 0) | {"revenue": "0"}
