"""Keeping events for some days only: `drop_old_events(conn, days=365)`. Rollups keep their numbers.

All but user_months, which has what each user did, and goes with the events by whole months.
"""

from typing import cast

from psycopg import Connection

from db.pools import writing
from db.queries import QUERIES


def drop_old_events(conn: Connection, *, days: int) -> list[str]:
    """Drop the partitions that were said to be no longer kept, then say it of those that are older than that now.

    Answers the names of those dropped. Between the two lie five minutes at least: call it again. One partition is one
    transaction, which holds up writers and reports for two seconds at most: raises LockNotAvailable where that is not
    enough, as while somebody reads for longer.
    """
    dropped = []
    while name := _dropped(conn):
        dropped.append(name)
    with writing(conn):
        conn.execute(QUERIES["keeping/forget_user_months"])
    with writing(conn):
        conn.execute(QUERIES["keeping/forget_events"], {"days": days})
    return dropped


def _dropped(conn: Connection) -> str | None:
    with writing(conn):
        (name,) = conn.execute(QUERIES["keeping/drop_oldest_partition"]).fetchone() or (None,)
    return cast("str | None", name)
