"""Deferred rollups: the sites in which they lag behind, and advancing them.

`sessions`; `path_spans`, which gets a five-day span once it is over; and `top_paths`, `user_spans` and `user_months`,
which get a day once it is over.
"""

from datetime import datetime
from typing import Literal

from psycopg import Connection

from db.connections.pools import writing
from db.queries import QUERIES

Rollup = Literal["sessions", "path_spans", "user_spans", "user_months", "top_paths"]

#: Events added to a rollup per transaction, which takes a second at most: writers of the site wait for it.
BATCH_EVENTS = 50_000


def sites_behind(conn: Connection, rollup: Rollup, target: datetime) -> list[str]:
    """The sites in which a rollup lags behind `target`; sessions by more than an hour."""
    return [site_id for (site_id,) in conn.execute(QUERIES[f"rollups/behind_{rollup}"], {"target": target})]


def advance(conn: Connection, rollup: Rollup, site_id: str, *, target: datetime, most: int = BATCH_EVENTS) -> bool:
    """Advance a site's rollup towards `target` by its next part; is there more to do?

    A part is a five-day span, a day, or, for sessions and user_months, about `most` events. Writers of the site wait
    meanwhile.
    """
    values = {"site_id": site_id, "target": target, "most": most}
    with writing(conn):
        (unfinished,) = conn.execute(QUERIES[f"rollups/advance_{rollup}"], values).fetchone() or (False,)
    return bool(unfinished)
