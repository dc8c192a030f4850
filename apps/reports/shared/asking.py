"""Asking the database what a report needs: `await ask(query, work)`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from apps.reporting_resources import LONG, ReportingResources
from apps.reports.shared.query import ComparedQuery, RangeQuery, asked, wanted_filters
from apps.reports.shared.turns import Turn
from apps.web.problems import unavailable
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter
from db.reports.shared.ranges import begin, resolve
from db.reports.shared.report import Question, TakesLong

Result = TypeVar("Result")

#: Reads an answer: from a connection whose queries all see the same moment, that moment, and what is asked.
Work = Callable[[ReadConnection, datetime, Question], Awaitable[Result]]

RETRY_LONG = 5
TOO_MANY_LONG = (
    f"{LONG} reports that take long are running, which is as many as may run at once; "
    "those from rollups are still answered"
)


async def ask(resources: ReportingResources, query: RangeQuery, work: Work[Result]) -> Result:
    """What `work` answers, which may be begun more than once. Raises Refusal: 400 that names the parameter, or 503.

    Where it takes long and as many such run as may, it waits for its turn, and meanwhile has no connection.
    """
    question = _question_of(query)

    async def answer(conn: ReadConnection) -> Result:
        as_of, found = await question(conn, turn)
        return await work(conn, as_of, found)

    with Turn(resources.long_reports) as turn:
        try:
            return await resources.read(answer)
        except TakesLong:
            await _wait(turn, resources.connection_timeout)
        return await resources.read(answer)


@asynccontextmanager
async def asking_long(
    resources: ReportingResources, query: RangeQuery
) -> AsyncIterator[tuple[ReadConnection, Question]]:
    """The connection for what takes long for certain, and the question. Raises Refusal as `ask` does."""
    question = _question_of(query)
    with Turn(resources.long_reports) as turn:
        await _wait(turn, resources.connection_timeout)
        async with resources.pool.connection() as conn:
            _, found = await question(conn, turn)
            yield conn, found


async def compared(conn: ReadConnection, query: ComparedQuery, question: Question) -> Question | None:
    """The same question about the range to compare with, if there is one."""
    if not query.compare:
        return None
    wanted = question.range.compared(query.compare, now=question.now)
    try:
        covered = await resolve(conn, query.site_id, wanted, now=question.now)
    except BadParameter as error:  # it is not the parameter's fault that was asked for
        raise BadParameter("compare", f"leads to a range that {error.reason}") from None
    return msgspec.structs.replace(question, range=covered, begins_by="compare")


def _question_of(query: RangeQuery) -> Callable[[ReadConnection, Turn], Awaitable[tuple[datetime, Question]]]:
    """What begins the transaction, and returns its moment and the question. Raises Refusal (400), also itself."""
    begins_by = "date" if query.date else "from" if query.start else "period"
    wanted, found = asked(query), wanted_filters(query)

    async def question(conn: ReadConnection, turn: Turn) -> tuple[datetime, Question]:
        now = datetime.now(UTC)
        as_of, covered = await begin(conn, query.site_id, wanted, now=now)
        return as_of, Question(
            site_id=query.site_id,
            range=covered,
            filters=found,
            now=now,
            begins_by=begins_by,
            may_take_long=turn.take,
        )

    return question


async def _wait(turn: Turn, seconds: float) -> None:
    try:
        await turn.wait(seconds)
    except TimeoutError:
        raise unavailable(TOO_MANY_LONG, retry_after=RETRY_LONG) from None
