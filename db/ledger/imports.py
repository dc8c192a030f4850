"""Imports of files: recording (`note`), reading (`read_imports`), and undoing them (`delete_events`)."""

from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from db.connections.pools import writing
from db.queries import QUERIES

ImportId = Annotated[str, Meta(pattern="^[0-9a-f]{12}$", description="Of an import: 12 hexadecimal digits.")]


class ImportedFile(msgspec.Struct, kw_only=True):
    """A file of an import."""

    name: Annotated[str, Meta(max_length=1_000, description="Its name, without the folder.", examples=["orders.csv"])]
    rows: Annotated[int, Meta(ge=0, le=2**53, description="Rows that were read.", examples=[1201])] = 0
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="Of its decompressed text in UTF-8.")] | None = (
        None
    )


class Import(msgspec.Struct, kw_only=True):
    """An import, as the importer reports it."""

    files: Annotated[list[ImportedFile], Meta(max_length=10_000, description="What was imported.")]
    options: Annotated[list[str], Meta(max_length=1_000, description="How: the command's options.")] = []
    began_at: Annotated[datetime, Meta(tz=True, description="When it began.")]
    ended_at: Annotated[datetime, Meta(tz=True, description="When it ended; null: not yet.")] | None = None
    read: Annotated[int, Meta(ge=0, le=2**53, description="Rows that were read.")] = 0
    sent: Annotated[int, Meta(ge=0, le=2**53, description="Events that were sent, new or not.")] = 0
    first_time: Annotated[datetime, Meta(tz=True, description="Of the events, the earliest time.")] | None = None
    last_time: Annotated[datetime, Meta(tz=True, description="Of the events, the latest time.")] | None = None
    messages: Annotated[list[UUID], Meta(max_length=200_000, description="The messages that they were queued in.")] = []


class KnownImport(Import, kw_only=True):
    """An import, as it is recorded."""

    import_id: ImportId
    undone_at: Annotated[datetime | None, Meta(description="When it was undone.")] = None


class Stored(NamedTuple):
    """The stored events of an import."""

    events: int
    first: datetime | None
    last: datetime | None


class NoLongerKept(Exception):
    """Events of the import have expired: their counts stay in the rollups."""


def note(conn: Connection, site_id: str, import_id: str, one: Import) -> None:
    """Record an import, in one transaction."""
    values = msgspec.structs.asdict(one) | {"site_id": site_id, "import_id": import_id, "rows": one.read}
    values |= {"files": Jsonb(msgspec.to_builtins(one.files)), "options": Jsonb(one.options)}
    with writing(conn):
        conn.execute(QUERIES["imports/note_import"], values)


def read_imports(conn: Connection, site_id: str, import_id: str | None = None) -> list[KnownImport]:
    """A site's imports, the newest first, or the one with this id."""
    with conn.cursor(row_factory=dict_row) as cur:
        rows = cur.execute(QUERIES["imports/imports"], {"site_id": site_id, "import_id": import_id}).fetchall()
    return [msgspec.convert(row, KnownImport) for row in rows]


async def read_import(conn: AsyncConnection, site_id: str, import_id: str) -> KnownImport | None:
    """An import; None if it is unknown."""
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute(QUERIES["imports/imports"], {"site_id": site_id, "import_id": import_id})
        row = await cur.fetchone()
    return msgspec.convert(row, KnownImport) if row else None


async def progress(conn: AsyncConnection, site_id: str, one: KnownImport) -> tuple[int, int, int]:
    """Of an import: the number of processed messages, of stored events, and of dead letters."""
    values: dict[str, Any] = {"site_id": site_id, **msgspec.structs.asdict(one)}
    # In this order: what the first query counts as processed, the second one sees as stored.
    counts = []
    for query in ("settled", "stored", "dead"):
        row = await (await conn.execute(QUERIES[f"imports/{query}"], values)).fetchone()
        counts.append(int(row[0]) if row else 0)
    processed, stored, dead = counts
    return processed, stored, dead


def sites_of(conn: Connection, import_id: str) -> list[str]:
    """The sites that have an import of this id."""
    return [site_id for (site_id,) in conn.execute(QUERIES["imports/sites_of_import"], {"import_id": import_id})]


def unknown(import_id: str) -> KnownImport:
    """An import that was not recorded: only its id is known."""
    return KnownImport(import_id=import_id, files=[], began_at=datetime.now(UTC))


def stored(conn: Connection, site_id: str, one: KnownImport) -> Stored:
    """The events of an import that are stored now."""
    values = {"site_id": site_id, **msgspec.structs.asdict(one)}
    return Stored(*(conn.execute(QUERIES["imports/stored"], values).fetchone() or (0, None, None)))


def delete_events(conn: Connection, site_id: str, one: KnownImport) -> int:
    """Delete the events of an import, within the caller's transaction, which has to rebuild the rollups.

    Writers of the site wait until its end. Raises NoLongerKept.
    """
    (kept_from,) = conn.execute(QUERIES["imports/events_from"], {"site_id": site_id}).fetchone() or (None,)
    there = stored(conn, site_id, one)
    if kept_from is not None and (one.first_time is None or one.first_time < kept_from):
        since = f"{one.first_time:%Y-%m-%d}" if one.first_time else "an unknown time"
        raise NoLongerKept(f"it sent events from {since} on; those before {kept_from:%Y-%m-%d} have expired")
    values = {
        "site_id": site_id, "import_id": one.import_id, "first_time": there.first, "last_time": there.last,
        "now": datetime.now(UTC),
    }  # fmt: skip
    conn.execute(QUERIES["imports/forget_ids"], values)
    deleted = conn.execute(QUERIES["imports/delete_events"], values).rowcount
    conn.execute(QUERIES["imports/note_undone"], values)
    return deleted
