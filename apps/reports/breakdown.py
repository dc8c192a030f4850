"""GET /breakdown."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from apps.reports.shared.endpoint import report
from apps.reports.shared.query import ComparedQuery
from apps.reports.shared.responses import Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.reports.breakdown import DIMENSIONS, METRICS, Breakdown, Criteria, Row, Total, breakdown
from db.reports.shared.filters import PROPERTY, VISITS
from db.reports.shared.report import Question
from db.reports.shared.sale_figures import Currency
from db.reports.visits.breakdown import VisitsBreakdown, VisitsCriteria, VisitsRow, visits_breakdown
from db.reports.visits.figures import EXPLAINED, Figures, VisitMetric
from db.reports.visits.figures import METRICS as VISIT_METRICS

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
VISITS_EXAMPLE = VisitsBreakdown(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="rollups",
    as_of=datetime(2026, 2, 1, 12, tzinfo=UTC),
    dimension="source",
    currency="EUR",
    currencies=["EUR"],
    total=Figures(visits=1000, people=812, orders=30, revenue="3597", conversion=0.03, average_order="119.9"),
    without_value=Figures(visits=400, people=350, orders=8, revenue="959.2", conversion=0.02, average_order="119.9"),
    values=12,
    rows=[
        VisitsRow(
            value="google", share=0.42, visits=420, people=377, orders=15, revenue="1798.5", conversion=0.035714,
            average_order="119.9",
        ),
        VisitsRow(
            value="newsletter", share=0.12, visits=120, people=101, orders=7, revenue="839.3", conversion=0.058333,
            average_order="119.9",
        ),
    ],
)  # fmt: skip
ALLOWED = "path, event_type, user_id or properties.NAME, such as properties.currency; or, of visits, " + ", ".join(
    VISITS
)
ALLOWED_METRICS = f"{' or '.join(METRICS)}; of visits some of {', '.join(VISIT_METRICS)}, with commas between them"
BAD_DIMENSION = FieldError(field="dimension", reason="'colour' is unknown", allowed=ALLOWED)


class BreakdownQuery(ComparedQuery, kw_only=True):
    """The parameters of GET /breakdown."""

    dimension: Annotated[
        str,
        Meta(
            description=f"By what: {ALLOWED}; dots in NAME lead into objects. A value that is no text counts as the "
            "JSON that it is. A dimension of visits is that of their first event: `source`, `medium`, `campaign`, "
            "`term`, `content`, `referrer` (its host) and `channel` say where the visitor came from, `landing` and "
            "`exit` are the first and the last path, `new` is whether it is the person's first visit.",
            examples=["path"],
        ),
    ]
    metrics: Annotated[
        str | None,
        Meta(
            description="Of events `events`, or `events,users`: unique users as well, which takes longer for all but "
            f"event types. Of visits some of these, with commas between them: {EXPLAINED}. Left out: `events`, or "
            "`visits`.",
            examples=["visits,people,orders,revenue,conversion"],
        ),
    ] = None
    order_by: Annotated[
        VisitMetric | None,
        Meta(description="Of visits: which figure the rows are sorted by, the largest first; left out: `visits`."),
    ] = None
    currency: Annotated[
        Currency | None,
        Meta(description="Of visits: the currency of revenue; left out: that of most orders of the range."),
    ] = None
    search: Annotated[
        str, Meta(max_length=200, description="Only values that have this text in them, in small or large letters.")
    ] = ""
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many rows at most: 1 to 1,000; left out: 10.")] = 10

    def check(self, media_type: str) -> None:
        """Raise BadParameter for an unknown dimension, and for what does not go with it."""
        if self.dimension in VISITS:
            self.visit_metrics()
            return
        if self.dimension not in DIMENSIONS and not PROPERTY.fullmatch(self.dimension):
            raise BadParameter("dimension", f"{self.dimension!r} is unknown", ALLOWED)
        if self.metrics not in (None, *METRICS):
            raise BadParameter("metrics", f"{self.metrics!r} is not of events, as {self.dimension} is", ALLOWED_METRICS)
        for name in ("order_by", "currency"):
            if getattr(self, name):
                raise BadParameter(name, f"is of visits, and {self.dimension} of events", f"with {', '.join(VISITS)}")

    def visit_metrics(self) -> list[VisitMetric]:
        """The figures of visits that are asked for. Raises BadParameter."""
        given = self.metrics.split(",") if self.metrics else ["visits"]
        if unknown := [name for name in given if name not in VISIT_METRICS]:
            raise BadParameter("metrics", f"{unknown[0]!r} is not of visits, as {self.dimension} is", ALLOWED_METRICS)
        return [name for name in VISIT_METRICS if name in given]


@report(
    "/breakdown",
    query=BreakdownQuery,
    summary="Top paths, event types, users or properties; visits by source, device, landing page, ...",
    example=EXAMPLE,
    others=[VISITS_EXAMPLE],
    table="The values with most events. As CSV or NDJSON: the rows.",
    bad=BAD_DIMENSION,
)
async def get_breakdown(conn: ReadConnection, question: Question, query: BreakdownQuery) -> Table:
    """The values of a dimension that most events or visits have, each with its share of all of them.

    No event is missing: `total.events` = those of the rows + `rest` + `without_value.events`. What a `search` leaves
    out is in the rest, so that shares stay what they are. `compare` gives each row its events in the other range.

    Visits are those that begin in the range, with all that happened while they lasted: `total` has all of them,
    `without_value` those without a value, as those without a `source`, who came directly. Filters are of visits then.
    """
    if query.dimension in VISITS:
        return await _of_visits(conn, question, query)
    users = query.metrics == "events,users"
    criteria = Criteria(dimension=query.dimension, users=users, search=query.search, limit=query.limit)
    found = await breakdown(conn, question, criteria)
    absent = () if users else ("users", "anonymous")
    columns = columns_of(Row, without=absent if query.compare else (*absent, "compare_events"))
    return Table(report=found, rows=found.rows, columns=columns)


async def _of_visits(conn: ReadConnection, question: Question, query: BreakdownQuery) -> Table:
    metrics = query.visit_metrics()
    criteria = VisitsCriteria(
        dimension=query.dimension,
        metrics=metrics,
        order_by=query.order_by or "visits",
        currency=query.currency,
        search=query.search,
        limit=query.limit,
    )
    found = await visits_breakdown(conn, question, criteria)
    beside = (
        [
            VisitsRow(value=row.value, **msgspec.structs.asdict(row.compare)) if row.compare else None
            for row in found.rows
        ]
        if found.compare
        else None
    )
    table = [msgspec.structs.replace(row, compare=None) for row in found.rows]
    return Table(report=found, rows=table, columns=["value", "share", *metrics], compare=beside)
