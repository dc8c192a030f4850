"""Reading dead letters: what could not be stored, why, and what happened to it since."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from db.cursors import decode_cursor, encode_cursor
from db.events.event import EventType, SiteId
from db.queries import QUERIES

State = Literal["dead", "stored", "duplicate", "discarded"]
#: Where the list continues: after the letter with this time of failure and id.
Place = tuple[Annotated[datetime, Meta(tz=True)], UUID]


class LetterHead(msgspec.Struct, kw_only=True):
    """A dead letter without its payload."""

    id: UUID
    state: Annotated[
        State, Meta(description="`dead`; or since then `stored`, `duplicate` (was stored before) or `discarded`.")
    ]
    site_id: Annotated[str | None, Meta(description="Null if the payload does not have it; so are the next three.")]
    event_id: UUID | None
    event_type: str | None
    received_at: Annotated[datetime | None, Meta(description="When the event was accepted.")]
    queue: Annotated[str, Meta(description="The queue that it was in.", examples=["events"])]
    message_id: Annotated[UUID | None, Meta(description="The message that it was in.")]
    error: Annotated[str, Meta(description="Why it could not be stored in the last attempt.")]
    sqlstate: Annotated[str | None, Meta(description="PostgreSQL's code of this error.", examples=["23502"])]
    attempts: Annotated[int, Meta(description="Number of attempts to store it.", examples=[1])]
    failed_at: Annotated[datetime, Meta(description="When the last attempt failed.")]
    changed_at: Annotated[datetime | None, Meta(description="When it was last requested to be replayed or discarded.")]
    payload_bytes: Annotated[int, Meta(examples=[212])]


class DeadLetter(LetterHead, kw_only=True):
    """A dead letter with its payload."""

    payload: Annotated[msgspec.Raw, Meta(description="Exactly as it was in the queue; null if it is not JSON.")]
    payload_base64: Annotated[str, Meta(description="The same bytes in base64.")]


class LetterFilter(msgspec.Struct, kw_only=True):
    """Which dead letters to select: those that match all given criteria."""

    state: Annotated[State | None, Meta(description="`dead`, `stored`, `duplicate` or `discarded`.")] = None
    site_id: SiteId | None = None
    event_type: EventType | None = None
    sqlstate: (
        Annotated[
            str, Meta(pattern="^[0-9A-Z]{5}$", description="PostgreSQL's code of the error: five letters and digits.")
        ]
        | None
    ) = None
    error: Annotated[str, Meta(min_length=1, max_length=1000, description="Text that the error contains.")] | None = (
        None
    )
    failed_from: (
        Annotated[datetime, Meta(tz=True, description="Failed at or after this time: ISO 8601 with an offset.")] | None
    ) = None
    failed_to: (
        Annotated[datetime, Meta(tz=True, description="Failed before this time: ISO 8601 with an offset.")] | None
    ) = None


class LetterPage(msgspec.Struct, kw_only=True):
    """Some dead letters, the newest failure first."""

    dead_letters: list[LetterHead]
    next_cursor: Annotated[
        str | None, Meta(description="Send it as `cursor` for the next page; null: this was the last one.")
    ]


async def list_letters(
    conn: AsyncConnection, which: LetterFilter, *, limit: int, cursor: str | None = None
) -> LetterPage:
    """A page of the dead letters that match. Raises BadParameter."""
    failed_before, id_before = decode_cursor(cursor, Place) if cursor else (None, None)
    place = {"failed_before": failed_before, "id_before": id_before, "limit": limit + 1}
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute(QUERIES["dead_letters/list"], msgspec.structs.asdict(which) | place)
        letters = [msgspec.convert(row, LetterHead) for row in await cur.fetchall()]
    more = len(letters) > limit
    return LetterPage(dead_letters=letters[:limit], next_cursor=_cursor(letters[limit - 1]) if more else None)


async def read_letter(conn: AsyncConnection, letter_id: UUID) -> DeadLetter | None:
    """A dead letter with its payload, or None if there is none with this id."""
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute(QUERIES["dead_letters/show"], {"id": letter_id})
        row = await cur.fetchone()
    if row is None:
        return None
    payload: bytes = row["payload"]
    row |= {"payload": _json(payload), "payload_base64": base64.b64encode(payload).decode()}
    return DeadLetter(**row)


async def outcomes(conn: AsyncConnection, letter_ids: Sequence[UUID], *, request: UUID) -> dict[State, int]:
    """The number of letters in each state, of those that a request has processed."""
    async with conn.cursor() as cur:
        await cur.execute(QUERIES["dead_letters/outcomes"], {"ids": list(letter_ids), "request": request})
        return dict(await cur.fetchall())


def _json(payload: bytes) -> msgspec.Raw:
    try:
        msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        return msgspec.Raw(b"null")
    return msgspec.Raw(payload)


def _cursor(letter: LetterHead) -> str:
    return encode_cursor((letter.failed_at, letter.id))
