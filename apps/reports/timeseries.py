"""GET /timeseries."""

from datetime import UTC, datetime
from typing import Annotated, get_args

from msgspec import Meta

from apps.reports.shared.endpoint import report
from apps.reports.shared.query import ComparedQuery
from apps.reports.shared.responses import Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.reports.shared.report import Question
from db.reports.shared.sale_figures import Currency
from db.reports.timeseries import Interval, Metric, Point, Timeseries, timeseries
from db.reports.visits.figures import EXPLAINED
from db.reports.visits.series import SeriesMetric, VisitsPoint, VisitsTimeseries, visits_timeseries

EXAMPLE = Timeseries(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 1, 3, tzinfo=UTC),
    timezone="UTC",
    source="rollups",
    as_of=datetime(2026, 1, 3, 12, tzinfo=UTC),
    metric="views",
    interval="day",
    points=[
        Point(at=datetime(2026, 1, 1, tzinfo=UTC), value=1024),
        Point(at=datetime(2026, 1, 2, tzinfo=UTC), value=0),
    ],
)
VISITS_EXAMPLE = VisitsTimeseries(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 1, 3, tzinfo=UTC),
    timezone="UTC",
    source="rollups",
    as_of=datetime(2026, 1, 3, 12, tzinfo=UTC),
    metric="revenue",
    interval="day",
    currency="EUR",
    currencies=["EUR"],
    points=[
        VisitsPoint(at=datetime(2026, 1, 1, tzinfo=UTC), value="1438.8"),
        VisitsPoint(at=datetime(2026, 1, 2, tzinfo=UTC), value="0"),
    ],
)
BAD_INTERVAL = FieldError(
    field="interval", reason="'minute' is too fine for this range", allowed="hour, day, week, month"
)


class TimeseriesQuery(ComparedQuery, kw_only=True):
    """The parameters of GET /timeseries."""

    metric: Annotated[
        SeriesMetric,
        Meta(
            description="`events`; `views`: events of type `page_view`; `users`: different persons. Of visits, by when "
            f"they begin: {EXPLAINED}. With a filter of visits, `events`, `views` and `users` are theirs too."
        ),
    ] = "events"
    currency: Annotated[
        Currency | None,
        Meta(description="The currency of revenue; left out: that of most orders of the range."),
    ] = None
    interval: Annotated[
        Interval | None,
        Meta(
            description="`minute`, `hour`, `day`, `week` or `month`; left out: `hour` up to two days, else `day`, or "
            "the finest that the range allows."
        ),
    ] = None


@report(
    "/timeseries",
    query=TimeseriesQuery,
    summary="Events, views, users, visits, orders or revenue over time",
    example=EXAMPLE,
    others=[VISITS_EXAMPLE],
    table="The series. As CSV or NDJSON: its points.",
    bad=BAD_INTERVAL,
)
async def get_timeseries(conn: ReadConnection, question: Question, query: TimeseriesQuery) -> Table:
    """A point for each minute, hour, day, week or month of a range, also where nothing happened.

    Buckets are those of the timezone, also when its clocks change. The first and last bucket have what is in the range.
    Visits, and what happened in them, count in the bucket in which they begin; `/revenue` has orders by their own time.
    """
    if question.filters.visits or query.metric not in get_args(Metric):
        visits = await visits_timeseries(
            conn, question, metric=query.metric, interval=query.interval, currency=query.currency
        )
        return Table(report=visits, rows=visits.points, columns=columns_of(VisitsPoint), compare=visits.compare)
    if query.currency:
        raise BadParameter("currency", f"is of revenue and average_order, and {query.metric} has none")
    metric: Metric = query.metric  # type: ignore[assignment]  # as was asked above
    series = await timeseries(conn, question, metric=metric, interval=query.interval)
    columns = columns_of(Point, without=() if query.metric == "users" else ("anonymous",))
    return Table(report=series, rows=series.points, columns=columns, compare=series.compare)
