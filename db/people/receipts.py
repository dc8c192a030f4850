"""The receipts of erasures: who asked, what was erased where, and what remains for how long."""

from datetime import UTC, datetime
from typing import Annotated, cast
from uuid import UUID

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row
from uuid_utils.compat import uuid7

from db.events.event import SiteId
from db.people.identity import person_of
from db.queries import QUERIES

#: What is not erased at once, and when it is gone.
REMAINS = {
    "postgresql_wal": "PostgreSQL's log has the old rows until its segments are reused: after the next checkpoints, or "
    "as long as you archive them.",
    "postgresql_files": "Old rows are gone from tables and indexes once they are vacuumed (`vacuumed_at`); their bytes "
    "are overwritten as the space is used again.",
    "redis_files": "Redis' files have processed messages until it has rewritten them: it was asked to at "
    "`redis_rewritten_at`, and is once more an hour later.",
    "backups": "Backups from before have the person until you delete them; after a restore, erase them again.",
    "queue": "Events that were accepted before, and are stored by `holds_until`, become nameless then (`queue` in "
    "`erased`).",
}


class Erasure(msgspec.Struct, kw_only=True):
    """The receipt of an erasure. It does not name the person."""

    erasure_id: UUID
    site_id: SiteId
    person: Annotated[str, Meta(description="A hash of the person's id, with a key of the site (HMAC-SHA-256).")]
    asked_at: datetime
    asked_by: Annotated[str, Meta(description="The name and id of their key, or `command line`.")]
    begun_at: datetime | None = None
    done_at: Annotated[
        datetime | None,
        Meta(description="Null: it waits, or is under way, also once more for a visitor of whom only the queue told."),
    ] = None
    erased: Annotated[
        dict[str, int],
        Meta(
            description="Changed rows by table. `events`: theirs; `events_of_others`: those of others that named them; "
            "`queue`: events that were accepted before and came later.",
            examples=[{"events": 17, "events_of_others": 2, "users": 1, "sessions": 3}],
        ),
    ] = {}
    holds_until: Annotated[
        datetime | None, Meta(description="Until when events that were accepted before it are caught.")
    ] = None
    vacuumed_at: datetime | None = None
    redis_rewritten_at: datetime | None = None
    remains: Annotated[dict[str, str], Meta(description="What remains for how long, by place.")] = msgspec.field(
        default_factory=REMAINS.copy
    )


async def ask(conn: AsyncConnection, *, site_id: str, user_id: str, by: str) -> Erasure:
    """Note that a person is to be erased, within the caller's transaction. Raises NoSuchSite."""
    person = await person_of(conn, site_id, user_id)
    erasure_id = uuid7()
    parameters = {"site_id": site_id, "erasure_id": erasure_id, "person": person, "user_id": user_id, "asked_by": by}
    await conn.execute(QUERIES["people/ask"], parameters)
    receipt = await read_receipt(conn, site_id=site_id, erasure_id=erasure_id)
    return cast("Erasure", receipt)


async def read_receipt(conn: AsyncConnection, *, site_id: str, erasure_id: UUID) -> Erasure | None:
    """The receipt of an erasure, or None."""
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute(QUERIES["people/receipt"], {"site_id": site_id, "erasure_id": erasure_id})
        row = await cur.fetchone()
    return None if row is None else Erasure(**row)


def unfinished(conn: Connection, now: datetime | None = None) -> list[tuple[str, UUID]]:
    """The erasures that nobody has finished, by site and id."""
    return _listed(conn, "people/unfinished", now)


def to_rewrite(conn: Connection, now: datetime | None = None) -> list[tuple[str, UUID]]:
    """The erasures for which Redis has to rewrite its files once more."""
    return _listed(conn, "people/to_rewrite", now)


def note_rewrite(conn: Connection, site_id: str, erasure_id: UUID, now: datetime | None = None) -> None:
    """Note that Redis was asked to rewrite its files."""
    parameters = {"site_id": site_id, "erasure_id": erasure_id, "now": now or datetime.now(UTC)}
    conn.execute(QUERIES["people/note_rewrite"], parameters)


def forget_ended(conn: Connection, now: datetime | None = None) -> None:
    """Stop catching what can no longer come."""
    conn.execute(QUERIES["people/forget_ended"], {"now": now or datetime.now(UTC)})


def _listed(conn: Connection, query: str, now: datetime | None) -> list[tuple[str, UUID]]:
    return [(site, erasure) for site, erasure in conn.execute(QUERIES[query], {"now": now or datetime.now(UTC)})]
