"""A plain PostgreSQL and a Citus that are told the same: `pair.both(work)` does something in each and compares."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args

from psycopg import sql

from db.connections.pools import connect
from db.rollups.advance import Rollup, advance, sites_behind
from db.store.events import AlreadySettled, Message, Stored, store_messages
from tests.citus.history import SITES, History
from tests.conftest import Connection

Answer = TypeVar("Answer")
Given = ParamSpec("Given")

#: Columns of the moment at which they were written.
OF_THE_MOMENT = [
    "stored_at",
    "created_at",
    "settled_at",
    "counted_at",
    "said_at",
    "applied_at",
    "failed_at",
    "linked_at",
    "changed_at",
    "seen_at",
]


class Pair:
    """The two databases, migrated."""

    def __init__(self, plain: str, citus: str) -> None:
        self.urls = {"plain": plain, "citus": citus}
        self.connections = [connect(url) for url in self.urls.values()]
        self.random = random.Random(7)

    def close(self) -> None:
        for conn in self.connections:
            conn.close()

    def both(
        self, work: Callable[Concatenate[Connection, Given], Answer], *args: Given.args, **kwargs: Given.kwargs
    ) -> Answer:
        """What `work(conn, ...)` answers in both; AssertionError where these differ."""
        answers = [work(conn, *args, **kwargs) for conn in self.connections]
        assert answers[0] == answers[1]
        return answers[0]

    def execute(self, statement: str, **parameters: object) -> int:
        """Execute a statement in both; answers how many rows it was about."""
        return self.both(_execute, statement, parameters)

    def live(self, history: History) -> Stored:
        """Store it all, while maintenance moves on now and then and is not always done."""
        for site, zone in SITES.items():
            self.execute("insert into sites (site_id, timezone) values (%(site)s, %(zone)s)", site=site, zone=zone)
        total = Stored(0, 0)
        for number, flush in enumerate(history.flushes()):
            stored = self.both(store_messages, flush)
            total = Stored(total.received + stored.received, total.stored + stored.stored)
            assert self.both(_is_settled, flush)
            if number % 3 == 2:
                self._maintain(max(one.timestamp for one in history.of(flush)), parts=self.random.randrange(1, 12))
        # In the end maintenance has come up to now; of one site it is two days behind, and of another by weeks.
        for site in SITES:
            self.finish(site, history.now - timedelta(days={"london": 2, "havana": 40}.get(site, 0)))
        return total

    def finish(self, site: str, target: datetime) -> None:
        """Move all rollups of a site on, as far as a moment."""
        for rollup in get_args(Rollup):
            while self.both(advance, rollup, site, target=target):
                pass

    def tables(self) -> Iterator[tuple[str, int]]:
        """Each table, and how many rows it has in both. AssertionError where any of them differ."""
        for name in self.both(_names):
            yield name, self.both(_rows, name).total()

    def _maintain(self, target: datetime, *, parts: int) -> None:
        for rollup in get_args(Rollup):
            behind = self.both(sites_behind, rollup, target)
            for site in self.random.sample(behind, min(len(behind), 3)):
                for _ in range(parts):
                    if not self.both(advance, rollup, site, target=target, most=1_500):
                        break


def _execute(conn: Connection, statement: str, parameters: dict[str, Any]) -> int:
    return conn.execute(statement.encode(), parameters).rowcount


def _is_settled(conn: Connection, flush: list[Message]) -> bool:
    try:
        store_messages(conn, flush)
    except AlreadySettled:
        return True
    return False


def _names(conn: Connection) -> list[str]:
    found = conn.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
        " and not relispartition order by relname"
    )
    return [name for (name,) in found if name != "migrations"]


def _rows(conn: Connection, table: str) -> Counter[str]:
    """The rows of a table, each as a hash of what does not depend on the moment."""
    found = conn.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " and attname <> all (%s) order by attname",
        [table, OF_THE_MOMENT],
    ).fetchall()
    columns = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for (name,) in found)
    query = sql.SQL("select md5(row({})::text) from {}").format(columns, sql.Identifier(table))
    return Counter(row for (row,) in conn.execute(query))
