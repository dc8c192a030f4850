"""GET /accounting: the ledger of what was accepted and what became of it."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from msgspec import Meta

from actors.queue.accepted_counts import accepted_now
from apps.access.needs import needs
from apps.reporting_resources import ReportingResources, resources_of
from apps.web.openapi import answer, operation
from apps.web.problems import DATABASE_UNAVAILABLE, problem_response, refuse, unavailable
from apps.web.query_params import read_query
from db.access.scopes import Scope
from db.events.errors import BadParameter, FieldError
from db.events.event import SiteId
from db.ledger.balance import Accepted, Account, balance, settled_days

#: Days of a ledger without `from`, today among them.
DAYS = 7
#: How much the clocks of the machines may differ.
CLOCK_SKEW = timedelta(seconds=5)

BAD_DAY = FieldError(field="to", reason="is not after `from`", allowed="the day after the last, as YYYY-MM-DD")


class AccountingQuery(msgspec.Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """The parameters of GET /accounting."""

    site_id: SiteId | None = None
    start: Annotated[date, Meta(description="The first day (UTC), as YYYY-MM-DD; left out: six days ago.")] | None = (
        None
    )
    end: (
        Annotated[date, Meta(description="The day after the last (UTC), as YYYY-MM-DD; left out: tomorrow.")] | None
    ) = None


class Accounting(msgspec.Struct, kw_only=True):
    """The ledger of some days."""

    start: Annotated[date, Meta(description="The first day, UTC.")] = msgspec.field(name="from")
    end: Annotated[date, Meta(description="The day after the last, UTC.")] = msgspec.field(name="to")
    balanced: Annotated[bool, Meta(description="Whether nothing is unaccounted for.")]
    accounts: Annotated[list[Account], Meta(description="By day, then by site; those without events are left out.")]


@get(
    "/accounting",
    opt=needs(Scope.OPERATIONS),
    summary="Does the ledger balance?",
    tags=["operation"],
    operation_class=operation(query=AccountingQuery),
    responses={
        200: answer(
            "The ledger.",
            Accounting(
                start=date(2026, 1, 1),
                end=date(2026, 1, 8),
                balanced=True,
                accounts=[
                    Account(
                        site_id="shop",
                        day=date(2026, 1, 2),
                        accepted=1000,
                        stored=990,
                        duplicates=7,
                        dead=1,
                        in_flight=2,
                        unaccounted=0,
                    )
                ],
            ),
        ),
        400: problem_response(
            "A parameter is not valid.", refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_DAY])
        ),
        503: problem_response(
            "The database or the queue is unavailable; `Retry-After` says when to try again.",
            unavailable(DATABASE_UNAVAILABLE),
        ),
    },
)
async def get_accounting(request: Request[Any, Any, Any]) -> Accounting:
    """For each site and day of arrival (UTC): how many events were accepted, and what became of them.

    `accepted` is counted by Redis in the step that takes an event, everything else in the transaction that decides it.
    What is missing for longer than the oldest event has been in the queue is `unaccounted`: it should always be 0.
    """
    query = read_query(request, AccountingQuery)
    today = datetime.now(UTC).date()
    end = query.end or today + timedelta(days=1)
    start = query.start or end - min(timedelta(days=DAYS), end - date.min)
    if end <= start:
        raise BadParameter(BAD_DAY.field, BAD_DAY.reason, BAD_DAY.allowed)
    accounts = await read_ledger(resources_of(request), start, end, site_id=query.site_id)
    return Accounting(
        start=start, end=end, balanced=not any(account.unaccounted for account in accounts), accounts=accounts
    )


async def read_ledger(
    resources: ReportingResources, start: date, end: date, *, site_id: str | None = None
) -> list[Account]:
    """The ledger of the days from `start` to before `end`. Raises QueueUnavailable and psycopg's errors."""
    # In this order: what has left the queue at the first look is settled at the second, and what is settled then was
    # accepted at the third.
    state = await resources.queue_monitor.reader.read()
    source = (await accepted_now(resources.producer)).source
    kept = await resources.read(partial(settled_days, source=source, start=start, end=end, site_id=site_id))
    accepted = await accepted_now(resources.producer)
    in_queue = timedelta(seconds=state.oldest_seconds)
    # What waits for a retry, or to be filed, may be older than all that can be seen in the queue.
    unseen = state.delayed or state.filing
    oldest = datetime.min.replace(tzinfo=UTC) if unseen else accepted.counted_at - in_queue - CLOCK_SKEW
    counts = {
        (count.site_id, count.day): count.events
        for count in accepted.counts
        if start <= count.day < end and site_id in (None, count.site_id)
    }
    return balance(kept, Accepted(source=source, counts=counts, oldest=oldest))
