"""GET /timeseries."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.shared.endpoint import report
from apps.reports.shared.query import ComparedQuery
from apps.reports.shared.responses import Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import FieldError
from db.reports.shared.report import Question
from db.reports.timeseries import Interval, Metric, Point, Timeseries, timeseries

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
BAD_INTERVAL = FieldError(
    field="interval", reason="'minute' is too fine for this range", allowed="hour, day, week, month"
)


class TimeseriesQuery(ComparedQuery, kw_only=True):
    """The parameters of GET /timeseries."""

    metric: Annotated[
        Metric, Meta(description="`events`; `views`: events of type `page_view`; `users`: different `user_id`s.")
    ] = "events"
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
    summary="Events, views or users over time",
    example=EXAMPLE,
    table="The series. As CSV or NDJSON: its points.",
    bad=BAD_INTERVAL,
)
async def get_timeseries(conn: ReadConnection, question: Question, query: TimeseriesQuery) -> Table:
    """A point for each minute, hour, day, week or month of a range, also where nothing happened.

    Buckets are those of the timezone, also when its clocks change. The first and last bucket have what is in the range.
    """
    series = await timeseries(conn, question, metric=query.metric, interval=query.interval)
    columns = columns_of(Point, without=() if query.metric == "users" else ("anonymous",))
    return Table(report=series, rows=series.points, columns=columns, compare=series.compare)
