"""What became of an event: `receipt(conn, site_id=..., event_id=...)`."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from db.queries import QUERIES


class Receipt(msgspec.Struct, kw_only=True):
    """What became of an event."""

    status: Annotated[
        Literal["queued", "stored", "dead", "unknown"],
        Meta(
            description="`queued`: on its way; `stored`: in every report; `dead`: a dead letter; `unknown`: none of it."
        ),
    ]
    event_time: Annotated[datetime | None, Meta(description="Of a stored event: when it happened.")] = None
    received_at: Annotated[datetime | None, Meta(description="When it was accepted.")] = None
    stored_at: Annotated[datetime | None, Meta(description="Of a stored event: when the flush that has it began.")] = (
        None
    )
    dead_letter_id: Annotated[UUID | None, Meta(description="Of a dead event: see `GET /dead-letters/{id}`.")] = None
    detail: Annotated[str | None, Meta(description="What the answer does not know.")] = None


async def receipt(conn: AsyncConnection, *, site_id: str, event_id: UUID) -> Receipt | None:
    """What PostgreSQL knows of an event, or None if that is nothing."""
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute(QUERIES["ledger/event_status"], {"site_id": site_id, "event_id": event_id})
        row = await cur.fetchone()
    return msgspec.convert(row, Receipt) if row else None
