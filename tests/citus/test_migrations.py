"""Migrations on Citus: of an empty database, of one of an earlier version with data, and of one of plain PostgreSQL."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import msgspec
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from db.events.event import ReceivedEvent
from db.migrations import LAST_CARRIED_OVER, migrate
from db.queries import MIGRATIONS
from db.rollups.recount import CHECKS_OF_DAYS, CHECKS_OF_SITE, compare_days, compare_site, site_ids
from db.store.events import Message, store_messages
from tests.builders.factories import NOW, batch, received
from tests.citus.cluster import Cluster
from tests.citus.conftest import MakeDatabase
from tests.conftest import Connection
from tests.life.whole import rebuild
from tests.oracles.before import migrate_as_before

LANDED_CITUS = Path(__file__).parent / "landed_citus.sql"


def migrate_as_landed(url: str) -> None:
    """What the last version before 0.1.0 made of a database: its migrations, and its citus.sql."""
    migrate_as_before(url)
    with psycopg.connect(url) as conn:
        conn.execute(LANDED_CITUS.read_bytes())


def store_as_landed(url: str, *users: str) -> None:
    """The same as `store`, by that version."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("select make_partition(%s)", [NOW])
        conn.execute(
            "select * from store_messages(%s, %s, now())", [[uuid4()], Jsonb(msgspec.to_builtins(events_of(users)))]
        )


def events_of(users: Sequence[str]) -> list[ReceivedEvent]:
    """An order and a view of each user, in two sites."""
    return [
        received(
            site,
            event_type=kind,
            user_id=user,
            event_id=f"{index:08}-0000-4000-8000-{sum(map(ord, site + user)):012}",
            properties={"order_id": f"order of {user}", "revenue": 3, "currency": "EUR"},
        )
        for site in ("shop", "other")
        for user in users
        for index, kind in enumerate(("purchase", "page_view"))
    ]


def store(conn: Connection, *users: str) -> int:
    """Store these; how many were new?"""
    return store_messages(conn, [Message(str(uuid4()), batch(*events_of(users)))]).stored


def is_whole(url: str) -> None:
    """All tables and types are on all nodes, what is stored is counted once, and no rollup is wrong."""
    with psycopg.connect(url, autocommit=True) as conn:
        spread = conn.execute("select count(*) from pg_dist_partition p join pg_class c on c.oid = p.logicalrelid")
        assert spread.fetchone() != (0,)
        whole = conn.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
            " and not relispartition and oid not in (select logicalrelid from pg_dist_partition)"
        ).fetchall()
        # Of no site: what they have is read on the coordinator.
        assert {name for (name,) in whole} == {"migrations", "keys", "logins", "audit"}
        types = conn.execute(
            "select count(*) from pg_class where relkind = 'c' and relnamespace = 'public'::regnamespace"
        )
        functions = "select count(*) from pg_proc where pronamespace = 'public'::regnamespace"
        counts = [*(types.fetchone() or ()), *(conn.execute(functions).fetchone() or ())]
        on_nodes = conn.execute(
            "select success, result from run_command_on_all_nodes($$select (select count(*) from pg_class"
            " where relkind = 'c' and relnamespace = 'public'::regnamespace) || ' ' || (select count(*) from pg_proc"
            " where pronamespace = 'public'::regnamespace)$$)"
        ).fetchall()
        assert set(on_nodes) == {(True, "{} {}".format(*counts))}
        before = count(conn)
        assert store(conn, "ann", "bob") == 0
        assert store(conn, f"new {before}") == 4
        assert count(conn) == before + 4
        for site in ("shop", "other"):
            day = NOW.date()
            found = [*compare_days(conn, site, first_day=day, last_day=day, most=9), *compare_site(conn, site, most=9)]
            assert [one.differences for one in found] == [[]] * (len(CHECKS_OF_DAYS) + len(CHECKS_OF_SITE))


def count(conn: Connection) -> int:
    (events,) = conn.execute("select count(*) from events").fetchone() or (0,)
    return int(events)


def rebuild_all(url: str) -> None:
    """What a database from before lacks after its migration, as left_to_do says."""
    with psycopg.connect(url, autocommit=True) as conn:
        for site in site_ids(conn):
            assert rebuild(conn, site)
            assert rebuild(conn, site) == 0


def test_an_empty_database(citus_database: MakeDatabase) -> None:
    url = citus_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        assert store(conn, "ann", "bob") == 8
    assert migrate(url) == []
    is_whole(url)


def test_a_database_of_an_earlier_version_with_events(citus_database: MakeDatabase) -> None:
    url = citus_database()
    migrate_as_landed(url)
    store_as_landed(url, "ann", "bob")
    first, *later, last = migrate(url)
    assert (first, last) == ("carry_over", "functions")
    assert later == [path.stem for path in MIGRATIONS if path.stem > LAST_CARRIED_OVER]
    rebuild_all(url)
    is_whole(url)


@pytest.mark.parametrize("version", ["landed", "this"])
def test_a_plain_database_with_events_that_becomes_one_of_citus(
    citus_database: MakeDatabase, cluster: Cluster, version: str
) -> None:
    url = citus_database(nodes=False)
    if version == "landed":
        migrate_as_landed(url)
        store_as_landed(url, "ann", "bob")
    else:
        migrate(url)
        with psycopg.connect(url, autocommit=True) as conn:
            assert store(conn, "ann", "bob") == 8
    cluster.add_nodes(str(conninfo_to_dict(url)["dbname"]))
    migrate(url)
    if version == "landed":
        rebuild_all(url)
    is_whole(url)
