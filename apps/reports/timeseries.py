"""GET /timeseries."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Request, Response, get
from msgspec import Meta

from apps.reporting_resources import resources
from apps.reports.shared.asking import ask, compared
from apps.reports.shared.disconnects import UNANSWERED
from apps.reports.shared.query import ComparedQuery
from apps.reports.shared.responses import columns_of, report_response
from apps.web.openapi import answer, operation
from apps.web.problems import problem_response, refuse
from apps.web.query_params import read_query
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.reports.shared.report import Question
from db.reports.timeseries import Interval, Metric, Point, Timeseries, intervals, timeseries

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


@get(
    "/timeseries",
    summary="Events, views or users over time",
    tags=["reports"],
    operation_class=operation(query=TimeseriesQuery),
    responses={
        200: answer("The series. As CSV or NDJSON: its points.", EXAMPLE),
        400: problem_response(
            "A parameter is missing or not valid.",
            refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_INTERVAL]),
        ),
        **UNANSWERED,
    },
)
async def get_timeseries(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A point for each minute, hour, day, week or month of a range, also where nothing happened.

    Buckets are those of the timezone, whatever its clocks do. The first and the last bucket have what is in the range.
    """
    query = read_query(request, TimeseriesQuery)

    async def read(conn: ReadConnection, as_of: datetime, asked: Question) -> Timeseries:
        allowed = intervals(asked)
        interval = query.interval or _usual(allowed, hours=(asked.range.end - asked.range.start).total_seconds() / 3600)
        if interval not in allowed:
            reason = f"{interval!r} is too fine for this range"
            raise BadParameter("interval", reason, ", ".join(allowed) or "none: a shorter range")
        source, points = await timeseries(conn, asked, metric=query.metric, interval=interval)
        before = None
        if other := await compared(conn, query, asked):
            _, before = await timeseries(conn, other, metric=query.metric, interval=interval)
        return Timeseries(
            **asked.head(source, as_of), metric=query.metric, interval=interval, points=points, compare=before
        )

    report = await ask(resources(request), query, read)
    columns = columns_of(Point, without=() if query.metric == "users" else ("anonymous",))
    return report_response(request, report, report.points, columns, safe=query.safe, compare=report.compare)


def _usual(allowed: list[Interval], *, hours: float) -> Interval:
    usual: Interval = "hour" if hours <= 48 else "day"
    return usual if usual in allowed or not allowed else allowed[0]
