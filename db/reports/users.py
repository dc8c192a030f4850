"""GET /users/{user_id}: one user of a site and what they did."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.cursors import decode_cursor, encode_cursor
from db.reports.shared.report import Question, Report, rows, source_of

Order = Literal["newest", "oldest"]
#: How many visitors of a user are named.
VISITORS = 100
#: The last event of a page: its time and its id.
Place = tuple[Annotated[datetime, Meta(tz=True)], UUID]


class UserEvent(msgspec.Struct, kw_only=True):
    """An event of a user."""

    event_id: UUID
    event_type: Annotated[str, Meta(examples=["page_view"])]
    path: Annotated[str, Meta(examples=["/products/lamp"])]
    visitor_id: Annotated[str | None, Meta(description="The browser or device, if the event named it.")]
    event_time: datetime
    received_at: datetime
    properties: dict[str, Any] | None


class UserHead(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is known of a user, for any range and filters."""

    first_seen: datetime
    last_seen: datetime
    total_events: Annotated[int, Meta(examples=[17])]
    by_type: Annotated[dict[str, int], Meta(description="How many events of each type.", examples=[{"page_view": 17}])]
    visitors: Annotated[
        list[str],
        Meta(
            description=f"The visitors that they were first identified as, the last {VISITORS} of them, newest first."
        ),
    ]
    kept_from: Annotated[
        datetime | None, Meta(description="There were events before this, which are no longer kept, nor counted here.")
    ] = None


class UserReport(Report, kw_only=True):
    """A user and their events in a range."""

    user_id: str
    ever: UserHead
    events: Annotated[list[UserEvent], Meta(description="The events of the range that match, in the requested order.")]
    next_cursor: Annotated[str | None, Meta(description="Give it as `cursor` to go on; null: these were the last.")]


async def user_report(
    conn: AsyncConnection, question: Question, *, user_id: str, order: Order, limit: int, cursor: str | None = None
) -> UserReport | None:
    """What is known of a user, and a page of their events; None if no event of the site names them.

    Raises BadParameter.
    """
    known = await rows(conn, question, "user", user_id=user_id, most=VISITORS)
    if not known:
        return None
    time_after, id_after = decode_cursor(cursor, Place) if cursor else (None, None)
    query = f"user_events_{order}"
    found = await rows(
        conn, question, query, user_id=user_id, time_after=time_after, id_after=id_after, limit=limit + 1
    )
    page, more = [UserEvent(**_local(row, question)) for row in found[:limit]], len(found) > limit
    return UserReport(
        **question.head(source_of(query)),
        user_id=user_id,
        ever=UserHead(**_local(known[0], question)),
        events=page,
        next_cursor=encode_cursor((page[-1].event_time, page[-1].event_id)) if more else None,
    )


def _local(row: dict[str, Any], question: Question) -> dict[str, Any]:
    """The same with its times in the report's timezone."""
    times = {name: question.range.local(value) for name, value in row.items() if isinstance(value, datetime)}
    return row | times
