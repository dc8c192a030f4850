"""GET /breakdown by a dimension of visits: what visits were, and brought in, by source, device, landing page, ..."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.reports.shared.filters import any_case
from db.reports.shared.report import ComparedReport, Question, compared, rows, share
from db.reports.visits.figures import (
    NONE,
    AllCurrencies,
    Currencies,
    CurrencyOfReport,
    Figures,
    VisitMetric,
    currencies,
    figures,
)


class Beside(Figures, kw_only=True, omit_defaults=True):
    """The visits that have this value in the range compared with."""

    share: Annotated[float, Meta(description="Their part of all visits there, from 0 to 1.", examples=[0.1])]


class VisitsRow(Figures, kw_only=True, omit_defaults=True):
    """The visits that have one value of the dimension."""

    value: Annotated[str, Meta(examples=["google"])]
    share: Annotated[float, Meta(description="Their part of all visits of the report, from 0 to 1.", examples=[0.12])]
    compare: Annotated[Beside | None, Meta(description="With `compare`: the same in that range.")] = None


class VisitsBreakdown(ComparedReport, kw_only=True, omit_defaults=True):
    """Visits by the values of a dimension."""

    dimension: Annotated[str, Meta(examples=["source"])]
    currency: CurrencyOfReport = None
    currencies: AllCurrencies = None
    total: Annotated[Figures, Meta(description="All visits that match the filters, with any value or none.")]
    without_value: Annotated[
        Figures, Meta(description="Those of them that have no value, such as visits that came directly by source.")
    ]
    values: Annotated[int, Meta(description="How many different values match `search`.", examples=[42])]
    rows: Annotated[list[VisitsRow], Meta(description="The values with most of `order_by` first; equals by value.")]
    compare: Annotated[Figures | None, Meta(description="With `compare`: `total` of that range.")] = None


class VisitsCriteria(msgspec.Struct, frozen=True, kw_only=True):
    """Which visits, which figures of them, and in which order."""

    dimension: str
    metrics: Sequence[VisitMetric]
    order_by: VisitMetric
    currency: str | None
    search: str
    limit: int


async def visits_breakdown(conn: AsyncConnection, question: Question, criteria: VisitsCriteria) -> VisitsBreakdown:
    """The values with most visits, orders, revenue, ... Raises BadParameter."""
    other = await compared(conn, question)
    money = await currencies(conn, question, criteria.currency, (*criteria.metrics, criteria.order_by))
    found = await _found(conn, question, criteria, money)
    total, absent = await _sums(conn, question, criteria, money, found)
    visits: int = found["total"]["visits"]
    report = VisitsBreakdown(
        **question.head("rollups", other),
        dimension=criteria.dimension,
        currency=money.used,
        currencies=list(money.found) or None,
        total=total,
        without_value=absent,
        values=found["values"],
        rows=[
            VisitsRow(
                value=row["value"],
                share=share(row["visits"], visits) or 0.0,
                **figures(row, criteria.metrics, money.used),
            )
            for row in found["rows"]
        ],
    )
    if other:
        then = await _found(conn, other, criteria, money, only=[row.value for row in report.rows])
        by_value = {row["value"]: row for row in then["rows"]}
        for row in report.rows:
            beside = by_value.get(row.value, NONE)
            row.compare = Beside(
                share=share(beside["visits"], then["total"]["visits"]) or 0.0,
                **figures(beside, criteria.metrics, money.used),
            )
        report.compare, _ = await _sums(conn, other, criteria, money, then)
    return report


async def _found(
    conn: AsyncConnection, question: Question, criteria: VisitsCriteria, money: Currencies, only: Sequence[str] = ()
) -> dict[str, Any]:
    """The rows of a range, and the sums of all of its visits and of those without a value."""
    needed = {*criteria.metrics, criteria.order_by}
    (found,) = await rows(
        conn,
        question,
        "visits_by",
        dimension=criteria.dimension,
        currency=money.used,
        people="people" in needed,
        order_by=criteria.order_by,
        search="" if only else any_case(criteria.search),
        only=list(only),
        limit=len(only) or criteria.limit,
    )
    sums = {row["absent"]: row for row in found["sums"]}
    return found | {"absent": sums.get(True, NONE), "total": sums.get(None, NONE)}


async def _sums(
    conn: AsyncConnection, question: Question, criteria: VisitsCriteria, money: Currencies, found: dict[str, Any]
) -> tuple[Figures, Figures]:
    """The figures of all visits, and of those without a value."""
    total = dict(found["total"])
    if "people" in criteria.metrics:  # of whom some have visits of several values
        (counted,) = await rows(conn, question, "visits_people")
        total |= counted
    return (
        Figures(**figures(total, criteria.metrics, money.used)),
        Figures(**figures(found["absent"], criteria.metrics, money.used)),
    )
