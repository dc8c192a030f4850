"""Running a report: from its parameters to a question, on a connection, and in its turn if it takes long."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from apps.reporting_resources import LONG, ReportingResources
from apps.reports.shared.concurrency import Turn
from apps.reports.shared.query import ReportQuery
from apps.web.problems import unavailable
from db.connections.pools import ReadConnection
from db.reports.shared.ranges import begin
from db.reports.shared.report import Question, TakesLong

Query = TypeVar("Query", bound=ReportQuery)
Result = TypeVar("Result")

#: Reads a report: on a connection whose queries all see the same moment.
Work = Callable[[ReadConnection, Question, Query], Awaitable[Result]]
#: Begins the transaction of a report, and returns its question.
Begin = Callable[[ReadConnection, Turn], Awaitable[Question]]

RETRY_LONG = 5
TOO_MANY_LONG = (
    f"{LONG} reports that take long are running, which is as many as may run at once; "
    "those from rollups are still answered"
)


async def execute(
    resources: ReportingResources, query: Query, work: Work[Query, Result], *, charge: Callable[[], Awaitable[None]]
) -> Result:
    """Return what `work` returns, which may be called more than once. Raises BadParameter, and Refusal (503).

    A long report waits for its turn without a connection if as many as may are running. Once it has had a turn,
    `charge` is called, also if it failed.
    """
    begin_report = _prepared(query)

    async def attempt(conn: ReadConnection) -> Result:
        return await work(conn, await begin_report(conn, turn), query)

    with Turn(resources.long_reports) as turn:
        try:
            try:
                return await resources.read(attempt)
            except TakesLong:
                await _wait(turn, resources.connection_timeout)
            return await resources.read(attempt)
        finally:
            if turn.taken:
                await charge()


@asynccontextmanager
async def long_connection(
    resources: ReportingResources, query: ReportQuery
) -> AsyncIterator[tuple[ReadConnection, Question]]:
    """The connection for what takes long in any case, and the question. Raises as `execute` does."""
    begin_report = _prepared(query)
    with Turn(resources.long_reports) as turn:
        await _wait(turn, resources.connection_timeout)
        async with resources.pool.connection() as conn:
            yield conn, await begin_report(conn, turn)


def _prepared(query: ReportQuery) -> Begin:
    """Check what can be checked without the database. Raises BadParameter, and so does what is returned."""
    requested, filters = query.requested_range(), query.filters()

    async def begin_report(conn: ReadConnection, turn: Turn) -> Question:
        now = datetime.now(UTC)
        as_of, covered = await begin(conn, query.site_id, requested, now=now)
        return Question(
            site_id=query.site_id,
            range=covered,
            filters=filters,
            now=now,
            as_of=as_of,
            comparison=query.comparison(),
            begins_by=query.begins_by(),
            may_take_long=turn.take,
        )

    return begin_report


async def _wait(turn: Turn, seconds: float) -> None:
    try:
        await turn.wait(seconds)
    except TimeoutError:
        raise unavailable(TOO_MANY_LONG, retry_after=RETRY_LONG) from None
