"""GET /customers/cohorts: what customers are worth in the months that follow their first order."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.reports.sales.counted import SIGNED, Counted, Net, Revenue
from db.reports.shared.currencies import average, shown
from db.reports.shared.report import Question, Report, rows, source_of
from db.reports.shared.sale_figures import Currency

QUERY = "customers_cohorts"
#: How many months may follow the first, and the longest of them.
MAX_MONTHS = 36
MONTH = timedelta(days=31)


class CohortMonth(msgspec.Struct, kw_only=True):
    """One month of a cohort."""

    month: Annotated[int, Meta(description="Months since that of the first order, which is 0.", examples=[1])]
    customers: Annotated[int, Meta(description="Of the cohort, those who ordered in it.", examples=[30])] = 0
    orders: Annotated[int, Meta(examples=[36])] = 0
    revenue: Revenue = "0"
    refunded: Annotated[str, Meta(description="Of the refunds made in it.", examples=["10"])] = "0"
    net: Net = "0"
    lifetime_value: Annotated[
        str,
        Meta(
            description="`net` of this month and all before it, by the customers of the cohort.",
            pattern=SIGNED,
            examples=["131.5"],
        ),
    ] = "0"


class CustomerCohort(msgspec.Struct, kw_only=True):
    """The customers whose first order in a currency is of one month."""

    cohort: Annotated[date, Meta(description="The first day of the month.", examples=["2026-01-01"])]
    currency: Currency
    customers: Annotated[int, Meta(description="How many they are.", examples=[120])]
    months: Annotated[list[CohortMonth], Meta(description="That month and those that followed, up to the present.")]


class CohortValue(msgspec.Struct, kw_only=True):
    """One month of a cohort: the matrix as a table."""

    cohort: date
    currency: str
    size: int
    month: int
    customers: int
    orders: int
    revenue: str
    refunded: str
    net: str
    lifetime_value: str


class CustomerCohorts(Report, kw_only=True):
    """A row a cohort."""

    months: Annotated[int, Meta(description="How many months may follow the first.", examples=[12])]
    cohorts: Annotated[list[CustomerCohort], Meta(description="By month and currency; without those that are empty.")]


def followed_until(question: Question, months: int) -> datetime:
    """After the last month that is followed, even where months are long."""
    return question.range.end + (months + 1) * MONTH


async def cohorts(conn: AsyncConnection, question: Question, counted: Counted, *, months: int) -> CustomerCohorts:
    """A row for each month and currency with first orders in the range."""
    until = followed_until(question, months)
    found = await rows(conn, question, QUERY, until=until, months=months, **counted.parameters())
    today = question.range.local(question.now)
    return CustomerCohorts(
        **question.head(source_of(QUERY)),
        months=months,
        cohorts=[
            CustomerCohort(
                cohort=row["cohort"],
                currency=row["currency"],
                customers=row["customers"],
                months=_months(row, up_to=min(months, _since(row["cohort"], today))),
            )
            for row in found
        ],
    )


def values(found: CustomerCohorts) -> list[CohortValue]:
    """The months of all cohorts, one by one."""
    return [
        CohortValue(cohort=one.cohort, currency=one.currency, size=one.customers, **msgspec.structs.asdict(month))
        for one in found.cohorts
        for month in one.months
    ]


def _since(cohort: date, today: date) -> int:
    return 12 * (today.year - cohort.year) + today.month - cohort.month


def _months(row: dict[str, Any], *, up_to: int) -> list[CohortMonth]:
    """Each month, also those in which nobody ordered."""
    code = row["currency"]
    found = {one["month"]: one for one in row["months"]}
    months, earned = [], Decimal()
    for month in range(max(up_to, *found) + 1):
        one = found.get(month, {"month": month, "revenue": "0", "refunded": "0"})
        net = Decimal(one["revenue"]) - Decimal(one["refunded"])
        earned += net
        amounts = {
            "revenue": shown(one["revenue"], code),
            "refunded": shown(one["refunded"], code),
            "net": shown(f"{net:f}", code),
            "lifetime_value": average(f"{earned:f}", row["customers"], code) or "0",
        }
        months.append(CohortMonth(**one | amounts))
    return months
