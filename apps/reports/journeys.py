"""GET /journeys."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.shared.endpoint import report
from apps.reports.shared.query import ReportQuery
from apps.reports.shared.responses import Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import FieldError
from db.reports.journeys import Direction, Journeys, Sequence, journeys
from db.reports.shared.report import Question

EXAMPLE = Journeys(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 1, 3, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 1, 3, 12, tzinfo=UTC),
    path="/",
    direction="from",
    steps=2,
    sessions=480,
    users=417,
    anonymous=96,
    other_sessions=240,
    journeys=[
        Sequence(pages=["/", "/products", "/products/lamp"], sessions=144, users=140, share=0.3),
        Sequence(pages=["/"], sessions=96, users=96, share=0.2),
    ],
)
BAD_STEPS = FieldError(field="steps", reason="should be at most 5", allowed="How many pages beyond it: 1 to 5; ...")


class JourneysQuery(ReportQuery, kw_only=True):
    """The parameters of GET /journeys."""

    path: Annotated[
        str,
        Meta(min_length=1, max_length=2_048, description="The page, exactly.", examples=["/products/lamp"]),
    ]
    direction: Annotated[
        Direction, Meta(description="`from`: what is viewed after the page; `to`: what is viewed before it.")
    ] = "from"
    steps: Annotated[int, Meta(ge=1, le=5, description="How many pages beyond it: 1 to 5; left out: 3.")] = 3
    limit: Annotated[int, Meta(ge=1, le=100, description="How many sequences: 1 to 100; left out: 10.")] = 10


@report(
    "/journeys",
    query=JourneysQuery,
    summary="The most frequent ways from or to a page",
    example=EXAMPLE,
    table="The sequences. As CSV or NDJSON: one a row.",
    bad=BAD_STEPS,
)
async def get_journeys(conn: ReadConnection, question: Question, query: JourneysQuery) -> Table:
    """Which pages users view one after the other, from a page or to it, the most frequent sequences first.

    Views are events of type `page_view`. Each session that has the page counts once, by its first view of it; a page
    viewed several times in a row is one. Sessions are those of `/sessions`.
    """
    found = await journeys(
        conn, question, path=query.path, direction=query.direction, steps=query.steps, limit=query.limit
    )
    return Table(report=found, rows=found.journeys, columns=columns_of(Sequence))
