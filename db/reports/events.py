"""GET /events and GET /events/export: the events themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection, AsyncServerCursor
from psycopg.rows import dict_row

from db.cursors import decode_cursor, encode_cursor
from db.queries import QUERIES
from db.reports.shared.report import Question, Report, check, rows, source_of

#: The last event of a page: its time and its id.
Place = tuple[Annotated[datetime, Meta(tz=True)], UUID]

#: Events of an export that are in memory at a time.
EXPORTED_AT_ONCE = 250


class StoredEvent(msgspec.Struct, kw_only=True):
    """An event as it is stored."""

    event_id: Annotated[
        UUID,
        Meta(
            description="The id under which it is stored: the client's, but of an event with a secret key the first "
            "digit of the fourth group is another one: 0 to 3 for 8, 9, a and b."
        ),
    ]
    event_type: Annotated[str, Meta(examples=["page_view"])]
    path: Annotated[str, Meta(examples=["/products/lamp"])]
    user_id: Annotated[
        str | None,
        Meta(
            description="The person: the user, else the user of the visitor, else the visitor. Null: nobody is known."
        ),
    ]
    visitor_id: Annotated[str | None, Meta(description="The browser or device, if the event named it.")]
    event_time: Annotated[datetime, Meta(description="When it happened.")]
    received_at: Annotated[datetime, Meta(description="When it was accepted.")]
    stored_at: Annotated[datetime, Meta(description="When the flush that has it began.")]
    properties: Annotated[msgspec.Raw, Meta(description="A JSON object, or null.")]


class EventPage(Report, kw_only=True):
    """Some of the events of a range, the newest first."""

    events: list[StoredEvent]
    next_cursor: Annotated[str | None, Meta(description="Give it as `cursor` to go on; null: these were the last.")]


async def events(conn: AsyncConnection, question: Question, *, limit: int, cursor: str | None = None) -> EventPage:
    """A page of the events that match. Raises BadParameter."""
    time, event_id = decode_cursor(cursor, Place) if cursor else (question.range.end, UUID(int=0))
    found = await rows(conn, question, "events", before_time=time, before_id=event_id, limit=limit + 1)
    page, more = [_event(row) for row in found[:limit]], len(found) > limit
    return EventPage(
        **question.head(source_of("events")),
        events=page,
        next_cursor=encode_cursor((page[-1].event_time, page[-1].event_id)) if more else None,
    )


@asynccontextmanager
async def export(conn: AsyncConnection, question: Question) -> AsyncIterator[AsyncIterator[list[StoredEvent]]]:
    """All events that match, the oldest first, some at a time, by a cursor of the server's. Needs a transaction.

    Raises EventsNotKept and TakesLong.
    """
    check(question, "events_export")
    async with conn.cursor(name="export", row_factory=dict_row) as cur:
        await cur.execute(QUERIES["reports/events_export"], question.parameters())
        yield _fetched(cur)


async def _fetched(cur: AsyncServerCursor[dict[str, Any]]) -> AsyncIterator[list[StoredEvent]]:
    while found := await cur.fetchmany(EXPORTED_AT_ONCE):
        yield [_event(row) for row in found]


def _event(row: dict[str, Any]) -> StoredEvent:
    properties = row["properties"]
    return StoredEvent(
        event_id=row["event_id"],
        event_type=row["event_type"],
        path=row["path"],
        user_id=row["user_id"],
        visitor_id=row["visitor_id"],
        event_time=row["event_time"].astimezone(UTC),
        received_at=row["received_at"].astimezone(UTC),
        stored_at=row["stored_at"].astimezone(UTC),
        properties=msgspec.Raw(b"null" if properties is None else properties.encode()),
    )
