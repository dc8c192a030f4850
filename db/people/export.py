"""All that is kept of a person, as JSON lines: `export(conn, ...)`, on the snapshot of the caller's transaction."""

import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from db.people.letters import Letter, letters_of
from db.queries import QUERIES

#: Lines that are in memory at a time.
AT_ONCE = 250
#: The kinds of lines and their questions, in their order.
KINDS = {
    "user": "users", "visitor": "visitors", "event": "events", "session": "sessions", "month": "months",
    "order": "orders", "erasure": "erasures",
}  # fmt: skip


async def export(
    conn: AsyncConnection,
    *,
    site_id: str,
    user_id: str,
    now: datetime,
    queued: Sequence[msgspec.Raw],
    whole_queue: bool,
) -> AsyncGenerator[bytes]:
    """All that is kept, some lines at a time; the first line says what it is. queued: events that wait in the queue."""
    person = {"site_id": site_id, "user_id": user_id}
    counts = await _counts(conn, person)
    letters = await letters_of(conn, site_id, user_id)
    counts |= {"dead_letter": len(letters), "queued_event": len(queued)}
    head = {"kind": "person"} | person | {"exported_at": now, "counts": counts, "queue_searched_in_full": whole_queue}
    yield _lines([head])
    names = await _event_types(conn, site_id)
    for kind, query in KINDS.items():
        async with conn.cursor(name="export", row_factory=dict_row) as cur:
            await cur.execute(QUERIES[f"people/{query}"], person)
            while rows := await cur.fetchmany(AT_ONCE):
                yield _lines([{"kind": kind} | _readable(row, names) for row in rows])
    for letter in letters:
        yield _lines([{"kind": "dead_letter"} | _readable_letter(letter)])
    for one in queued:
        yield _lines([{"kind": "queued_event", "event": one}])


async def kept(conn: AsyncConnection, *, site_id: str, user_id: str) -> dict[str, int]:
    """How much is kept of a person, by kind."""
    counts = await _counts(conn, {"site_id": site_id, "user_id": user_id})
    return counts | {"dead_letter": len(await letters_of(conn, site_id, user_id))}


async def visitors(conn: AsyncConnection, *, site_id: str, user_id: str) -> list[str]:
    """The ids of a person's visitors."""
    cur = await conn.execute(QUERIES["people/visitors"], {"site_id": site_id, "user_id": user_id})
    return [visitor for visitor, _ in await cur.fetchall()]


async def of_others(conn: AsyncConnection, *, site_id: str, user_id: str, visitors: Sequence[str]) -> list[str]:
    """Those of these visitors who are another user's, or users themselves."""
    parameters = {"site_id": site_id, "user_id": user_id, "visitors": list(visitors)}
    cur = await conn.execute(QUERIES["people/of_others"], parameters)
    return [visitor for (visitor,) in await cur.fetchall()]


async def _counts(conn: AsyncConnection, person: Mapping[str, str]) -> dict[str, int]:
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute(QUERIES["people/kept"], person)
        return dict(await cur.fetchone() or {})


async def _event_types(conn: AsyncConnection, site_id: str) -> dict[int, str]:
    return dict(await (await conn.execute(QUERIES["people/event_types"], {"site_id": site_id})).fetchall())


def _readable(row: dict[str, Any], names: Mapping[int, str]) -> dict[str, Any]:
    if "properties" in row:
        properties = row["properties"]
        return row | {"properties": msgspec.Raw(b"null" if properties is None else properties.encode())}
    if "kinds" in row:
        kinds, moments = bytes(row["kinds"]), row["moments"]
        events = [
            {"event_type": names.get(number), "event_time": moment}
            for number, moment in zip(kinds, moments, strict=True)
        ]
        return {"month": row["month"], "events": events}
    return row


def _readable_letter(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "error": letter.error,
        "payload": letter.event(),
        "payload_base64": base64.b64encode(letter.payload).decode(),
    }


def _lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
