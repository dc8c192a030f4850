"""Deferred rollups: which sites they lag behind in, and advancing them.

`sessions`; `path_spans`, which has a sixth of a month once it is over; and `top_paths`, `user_spans` and `user_months`,
which have a day once it is over.
"""

from datetime import datetime
from typing import Literal

from psycopg import Connection

from db.connections.pools import writing
from db.queries import QUERIES

Rollup = Literal["sessions", "path_spans", "user_spans", "user_months", "top_paths"]

#: Events that are added to a rollup in a transaction, a second at most: whoever stores events of that site waits.
AT_ONCE = 50_000


def sites_behind(conn: Connection, rollup: Rollup, target: datetime) -> list[str]:
    """The sites of which a rollup lacks what is over at `target`; of sessions, by more than an hour."""
    return [site_id for (site_id,) in conn.execute(QUERIES[f"rollups/behind_{rollup}"], {"target": target})]


def advance(conn: Connection, rollup: Rollup, site_id: str, *, target: datetime, most: int = AT_ONCE) -> bool:
    """Advance a site's rollup towards `target` by its next part, the oldest first; is there more?

    That is a sixth of a month, a day, or of sessions and user_months the next `most` events, about. Whoever stores
    events of the site waits meanwhile.
    """
    values = {"site_id": site_id, "target": target, "most": most}
    with writing(conn):
        (unfinished,) = conn.execute(QUERIES[f"rollups/advance_{rollup}"], values).fetchone() or (False,)
    return bool(unfinished)
