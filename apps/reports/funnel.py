"""GET /funnel."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.shared.endpoint import report
from apps.reports.shared.query import ComparedQuery
from apps.reports.shared.responses import Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import BadParameter, FieldError
from db.reports.funnel import FEWEST_STEPS, LONGEST_WINDOW, MOST_STEPS, STEP, WINDOW, Funnel, Step, funnel, read_window
from db.reports.shared.report import Question

EXAMPLE = Funnel(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 2, 3, 12, tzinfo=UTC),
    window="1d",
    steps=[
        Step(step="page_view;path:is:/products/*", users=400, from_first=1.0, anonymous=25),
        Step(step="add_to_cart", users=100, from_previous=0.25, from_first=0.25, median_seconds=94.5, anonymous=3),
        Step(step="purchase", users=40, from_previous=0.4, from_first=0.1, median_seconds=310.0, anonymous=0),
    ],
)
BAD_STEP = FieldError(field="step", reason="is given 1 times", allowed=f"{FEWEST_STEPS} to {MOST_STEPS} times {STEP}")


class FunnelQuery(ComparedQuery, kw_only=True):
    """The parameters of GET /funnel. The filters are for the events of all steps."""

    step: Annotated[
        list[str],
        Meta(
            description=f"A step, repeated {FEWEST_STEPS} to {MOST_STEPS} times in their order: {STEP}.",
            examples=[["page_view;path:is:/products/*", "add_to_cart", "purchase"]],
        ),
    ]
    window: Annotated[
        str,
        Meta(
            pattern=WINDOW,
            description="How long after the first step the others may be, in minutes, hours or days: 30m, 1h or 7d; at "
            f"most {LONGEST_WINDOW.days}d.",
            examples=["7d"],
        ),
    ] = "1d"

    def check(self, media_type: str) -> None:
        """Raise BadParameter for too few or too many steps, or a window that is too long."""
        if not FEWEST_STEPS <= len(self.step) <= MOST_STEPS:
            raise BadParameter("step", f"is given {len(self.step)} times")
        read_window(self.window)


@report(
    "/funnel",
    query=FunnelQuery,
    summary="How many users go through some steps",
    example=EXAMPLE,
    table="The funnel. As CSV or NDJSON: its steps.",
    bad=BAD_STEP,
)
async def get_funnel(conn: ReadConnection, question: Question, query: FunnelQuery) -> Table:
    """How many users took the steps in their order, each later than the one before and all within a window of time.

    The first step is in the range, the others may be after it; anything may happen in between. A user may enter the
    funnel several times; the furthest attempt counts. Events with equal times are not ordered. A step's duration runs
    from when the user last was in the step before to when they first were in this one.
    """
    found = await funnel(conn, question, steps=query.step, window=query.window)
    over = question.range.end + read_window(query.window)
    return Table(report=found, rows=found.steps, columns=columns_of(Step), compare=found.compare, over=over)
