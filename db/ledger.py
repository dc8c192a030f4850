"""The ledger: of the events that were accepted on a day, how many are stored, duplicates, dead or on their way."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from db.queries import QUERIES


class Count(msgspec.Struct, frozen=True):
    """How many events of a site were accepted on a day (UTC)."""

    site_id: str
    day: date
    events: int


def count_accepted(conn: Connection, *, source: str, counted_at: datetime, counts: Sequence[Count]) -> None:
    """Keep what a Redis (`source`) had counted up to a moment."""
    parameters = {"source": source, "counted_at": counted_at, "counts": Jsonb(counts, dumps=msgspec.json.encode)}
    conn.execute(QUERIES["ledger/count_accepted"], parameters)
