"""GET /timeseries of visits: by the bucket in which they begin."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.reports.shared.report import ComparedReport, Question, compared, rows
from db.reports.timeseries import STEPS, Interval, chosen
from db.reports.visits.figures import AllCurrencies, Currencies, CurrencyOfReport, VisitMetric, currencies, figures

SeriesMetric = VisitMetric | Literal["events", "users"]


class VisitsPoint(msgspec.Struct, kw_only=True):
    """One bucket of a series of visits."""

    at: Annotated[datetime, Meta(description="When the bucket begins; weeks begin on Monday.")]
    value: Annotated[
        float | str | None,
        Meta(description="Money is text; null where there is nothing to divide by.", examples=[120]),
    ]


class VisitsTimeseries(ComparedReport, kw_only=True, omit_defaults=True):
    """A series of one point a bucket, also where nothing happened, of the visits that begin in it."""

    metric: SeriesMetric
    interval: Interval
    currency: CurrencyOfReport = None
    currencies: AllCurrencies = None
    points: list[VisitsPoint]
    compare: Annotated[
        list[VisitsPoint] | None,
        Meta(description="With `compare`: the same of the range compared with, bucket by bucket."),
    ] = None


async def visits_timeseries(
    conn: AsyncConnection,
    question: Question,
    *,
    metric: SeriesMetric,
    interval: Interval | None = None,
    currency: str | None = None,
) -> VisitsTimeseries:
    """One point a bucket; the first and the last may have a part of one. Raises BadParameter."""
    interval = chosen(question, interval)
    other = await compared(conn, question)
    money = await currencies(conn, question, currency, [metric])
    return VisitsTimeseries(
        **question.head("rollups", other),
        metric=metric,
        interval=interval,
        currency=money.used,
        currencies=list(money.found) or None,
        points=await _points(conn, question, metric, interval, money),
        compare=await _points(conn, other, metric, interval, money) if other else None,
    )


async def _points(
    conn: AsyncConnection, question: Question, metric: SeriesMetric, interval: Interval, money: Currencies
) -> list[VisitsPoint]:
    figure = "people" if metric == "users" else metric
    found = await rows(
        conn,
        question,
        "visits_over_time",
        interval=interval,
        step=STEPS[interval],
        currency=money.used,
        people=figure == "people",
    )
    return [
        VisitsPoint(at=question.range.begin(row["at"], interval), value=figures(row, [figure], money.used)[figure])
        for row in found
    ]
