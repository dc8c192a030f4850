"""GET /breakdown."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.shared.endpoint import report
from apps.reports.shared.query import ComparedQuery
from apps.reports.shared.responses import Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.reports.breakdown import DIMENSIONS, Breakdown, Criteria, Metrics, Row, Total, breakdown
from db.reports.shared.filters import PROPERTY
from db.reports.shared.report import Question

EXAMPLE = Breakdown(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="rollups",
    as_of=datetime(2026, 2, 1, 12, tzinfo=UTC),
    dimension="path",
    total=Total(events=1000),
    rest=550,
    values=42,
    rows=[Row(value="/", events=330, share=0.33), Row(value="/products/lamp", events=120, share=0.12)],
)
ALLOWED = "path, event_type, user_id or properties.NAME, such as properties.currency"
BAD_DIMENSION = FieldError(field="dimension", reason="'colour' is unknown", allowed=ALLOWED)


class BreakdownQuery(ComparedQuery, kw_only=True):
    """The parameters of GET /breakdown."""

    dimension: Annotated[
        str,
        Meta(
            description=f"By what: {ALLOWED}; dots in NAME lead into objects. A value that is no text counts as the "
            "JSON that it is.",
            examples=["path"],
        ),
    ]
    metrics: Annotated[
        Metrics,
        Meta(
            description="`events`; or `events,users`: unique users as well, which takes longer for all but event types."
        ),
    ] = "events"
    search: Annotated[
        str, Meta(max_length=200, description="Only values that have this text in them, in small or large letters.")
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many rows at most: 1 to 1,000; left out: 10.")] = 10

    def check(self, media_type: str) -> None:
        """Raise BadParameter for an unknown dimension."""
        if self.dimension not in DIMENSIONS and not PROPERTY.fullmatch(self.dimension):
            raise BadParameter("dimension", f"{self.dimension!r} is unknown", ALLOWED)


@report(
    "/breakdown",
    query=BreakdownQuery,
    summary="Top paths, event types, users or properties",
    example=EXAMPLE,
    table="The values with most events. As CSV or NDJSON: the rows.",
    bad=BAD_DIMENSION,
)
async def get_breakdown(conn: ReadConnection, question: Question, query: BreakdownQuery) -> Table:
    """The values of a dimension that most events have, each with its share of all events.

    No event is missing: `total.events` = those of the rows + `rest` + `without_value.events`. What a `search` leaves
    out is in the rest, so that shares stay what they are. `compare` gives each row its events in the other range.
    """
    users = query.metrics == "events,users"
    criteria = Criteria(dimension=query.dimension, users=users, search=query.search, limit=query.limit)
    found = await breakdown(conn, question, criteria)
    absent = () if users else ("users", "anonymous")
    columns = columns_of(Row, without=absent if query.compare else (*absent, "compare_events"))
    return Table(report=found, rows=found.rows, columns=columns)
