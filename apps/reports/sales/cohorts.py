"""GET /customers/cohorts."""

from datetime import UTC, date, datetime
from typing import Annotated

from msgspec import Meta

from apps.reports.sales.query import CountedQuery
from apps.reports.shared.endpoint import report
from apps.reports.shared.responses import Table, columns_of
from db.connections.pools import ReadConnection
from db.events.errors import FieldError
from db.reports.sales.cohorts import (
    MAX_MONTHS,
    CohortMonth,
    CohortValue,
    CustomerCohort,
    CustomerCohorts,
    cohorts,
    followed_until,
    values,
)
from db.reports.shared.report import Question

EXAMPLE = CustomerCohorts(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 2, 1, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 2, 20, 12, tzinfo=UTC),
    months=12,
    cohorts=[
        CustomerCohort(
            cohort=date(2026, 1, 1),
            currency="EUR",
            customers=100,
            months=[
                CohortMonth(
                    month=0, customers=100, orders=104, revenue="9000", refunded="0", net="9000", lifetime_value="90"
                ),
                CohortMonth(
                    month=1, customers=20, orders=21, revenue="2010", refunded="10", net="2000", lifetime_value="110"
                ),
            ],
        )
    ],
)
BAD_MONTHS = FieldError(field="months", reason="should be at most 36", allowed="0 to 36")


class CohortsQuery(CountedQuery, kw_only=True):
    """The parameters of GET /customers/cohorts. The filters say which orders and refunds count."""

    months: Annotated[
        int,
        Meta(ge=0, le=MAX_MONTHS, description=f"How many months to follow a cohort: 0 to {MAX_MONTHS}; left out: 12."),
    ] = 12


@report(
    "/customers/cohorts",
    query=CohortsQuery,
    summary="Lifetime value and revenue by cohort",
    example=EXAMPLE,
    rows=values(EXAMPLE),
    table="The cohorts. As CSV or NDJSON: one row for each cohort and month.",
    bad=BAD_MONTHS,
)
async def get_cohorts(conn: ReadConnection, question: Question, query: CohortsQuery) -> Table:
    """The customers whose first order is in the range, by its month, and what they paid in that month and those that
    followed, also after the range, up to now.

    A cohort is of one currency: those whose first order in it is of the month, and their orders and refunds in it, in
    the months in which they were made. `lifetime_value` is what a customer of the cohort has brought so far, less
    refunds. Months are those of the timezone, and the range may begin or end within one. Customers, orders and refunds
    are those of `GET /customers`.
    """
    found = await cohorts(conn, question, query.counted(), months=query.months)
    over = followed_until(question, query.months)
    return Table(report=found, rows=values(found), columns=columns_of(CohortValue), over=over)
