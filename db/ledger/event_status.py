"""The status of an event: `receipt(conn, site_id=..., event_id=...)`."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from db.events.ids import id_with_key, id_without_key
from db.queries import QUERIES


class Receipt(msgspec.Struct, kw_only=True):
    """The status of an event."""

    status: Annotated[
        Literal["queued", "stored", "dead", "unknown"],
        Meta(
            description="`queued`: not processed yet; `stored`: in every report; `dead`: a dead letter; or `unknown`."
        ),
    ]
    event_time: Annotated[datetime | None, Meta(description="When it happened, if it is stored.")] = None
    received_at: Annotated[datetime | None, Meta(description="When it was accepted.")] = None
    stored_at: Annotated[datetime | None, Meta(description="When the flush that stored it began.")] = None
    dead_letter_id: Annotated[UUID | None, Meta(description="Its dead letter, see `GET /dead-letters/{id}`.")] = None
    secret_key: Annotated[
        bool | None,
        Meta(description="Whether it came with a secret key. Of two events with one id, the one with a key is shown."),
    ] = None
    detail: Annotated[str | None, Meta(description="What this response could not determine.")] = None


async def receipt(conn: AsyncConnection, *, site_id: str, event_id: UUID) -> Receipt | None:
    """The status of an event in PostgreSQL; None if it is unknown there."""
    async with conn.cursor(row_factory=dict_row) as cur:
        text = str(event_id)
        ids = {"with_key": UUID(id_with_key(text)), "without_key": UUID(id_without_key(text))}
        await cur.execute(QUERIES["ledger/event_status"], {"site_id": site_id, **ids})
        row = await cur.fetchone()
    return msgspec.convert(row, Receipt) if row else None
