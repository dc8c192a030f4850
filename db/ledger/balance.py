"""The ledger: of the events accepted on a day, how many are stored, duplicates, dead letters or in flight."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from db.connections.pools import writing
from db.events.event import SiteId
from db.queries import QUERIES


class Count(msgspec.Struct, frozen=True):
    """How many events of a site were accepted on a day (UTC)."""

    site_id: str
    day: date
    events: int


#: The row of a day without rows in PostgreSQL.
NOTHING: dict[str, Any] = {
    "accepted_elsewhere": 0,
    "accepted_here": 0,
    "counted_at": None,
    "stored": 0,
    "duplicates": 0,
    "dead": 0,
}


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the events of a site that were accepted on a day.

    accepted = stored + duplicates + dead + in_flight + unaccounted.
    """

    site_id: SiteId
    day: Annotated[date, Meta(description="The day of their arrival, UTC.")]
    accepted: Annotated[int, Meta(description="Events accepted with a 202.", examples=[1000])]
    stored: Annotated[int, Meta(description="In the events table and in every report.", examples=[990])]
    duplicates: Annotated[int, Meta(description="Stored before: the client sent them again.", examples=[7])]
    dead: Annotated[int, Meta(description="Dead letters, including discarded ones.", examples=[1])]
    in_flight: Annotated[int, Meta(description="In the queue, or being processed by a worker.", examples=[2])]
    unaccounted: Annotated[
        int,
        Meta(
            description="Should be 0. Above: accepted but lost. Below: processed more often than accepted.",
            examples=[0],
        ),
    ]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of the current Redis, and the progress of the queue."""

    source: str
    counts: Mapping[tuple[str, date], int]
    oldest: datetime
    """When the oldest event that may be in flight was accepted; now if there is none."""


def count_accepted(conn: Connection, *, source: str, counted_at: datetime, counts: Sequence[Count]) -> None:
    """Record what a Redis (`source`) had counted up to a moment."""
    parameters = {"source": source, "counted_at": counted_at, "counts": Jsonb(counts, dumps=msgspec.json.encode)}
    with writing(conn):
        conn.execute(QUERIES["ledger/count_accepted"], parameters)


async def settled_days(
    conn: AsyncConnection, *, source: str, start: date, end: date, site_id: str | None = None
) -> list[dict[str, Any]]:
    """The rows of sql/ledger/balance.sql for the days from `start` to before `end`."""
    async with conn.cursor(row_factory=dict_row) as cur:
        parameters = {"source": source, "site_id": site_id, "from": start, "to": end}
        await cur.execute(QUERIES["ledger/balance"], parameters)
        return await cur.fetchall()


def balance(recorded: Sequence[Mapping[str, Any]], accepted: Accepted) -> list[Account]:
    """The accounts of the days in `recorded` and in `accepted`, by day, then by site.

    `accepted` has to be read after `recorded`. Events counted before the oldest event in the queue was accepted cannot
    be in flight: if they are not processed, they are unaccounted for. And no more events can be processed than were
    accepted by now.
    """
    rows = dict.fromkeys(accepted.counts, NOTHING) | {(row["site_id"], row["day"]): row for row in recorded}
    keys = sorted(rows, key=lambda key: (key[1], key[0].encode()))
    return [_account(site_id, day, rows[site_id, day], accepted) for site_id, day in keys]


def _account(site_id: str, day: date, row: Mapping[str, Any], accepted: Accepted) -> Account:
    counted = row["accepted_here"]
    total = row["accepted_elsewhere"] + max(counted, accepted.counts.get((site_id, day), 0))
    processed = row["stored"] + row["duplicates"] + row["dead"]
    unaccounted = min(0, total - processed)
    if row["counted_at"] is None or row["counted_at"] < accepted.oldest:
        unaccounted += max(0, row["accepted_elsewhere"] + counted - processed)
    return Account(
        site_id=site_id,
        day=day,
        accepted=total,
        stored=row["stored"],
        duplicates=row["duplicates"],
        dead=row["dead"],
        in_flight=total - processed - unaccounted,
        unaccounted=unaccounted,
    )
