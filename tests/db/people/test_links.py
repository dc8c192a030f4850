"""Links of visitors to users end with the last event that is kept; no report tells."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.errors import LockNotAvailable

from db.connections.pools import connect
from db.people.links import forget_links, sites_with_links
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.servers import until

NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = (NOW - timedelta(days=90)).isoformat()


def store(conn: Connection, site: str, *events: dict[str, Any]) -> None:
    store_events(conn, batch(*(received(site, **{"timestamp": NOW.isoformat()} | one) for one in events)))


def links(conn: Connection, site: str) -> dict[str, str]:
    rows = conn.execute("select visitor_id, user_id from visitors where site_id = %s", [site]).fetchall()
    return dict(rows)


def expire(conn: Connection, site: str) -> None:
    """What is more than a month old is gone, as retention leaves it."""
    bound = NOW - timedelta(days=30)
    conn.execute("update sites set events_from = %s where site_id = %s", [bound, site])
    conn.execute("delete from events where site_id = %s and event_time < %s", [site, bound])


@pytest.fixture
def linked(conn: Connection, shop: str, other: str) -> str:
    """Three devices: no event of the old one is kept, of the shared one only somebody else's."""
    for site in (shop, other):
        store(
            conn,
            site,
            *({"visitor_id": name, "user_id": "ann", "timestamp": LONG_AGO} for name in ("old", "shared", "new")),
        )
        store(conn, site, {"visitor_id": "new"}, {"visitor_id": "shared", "user_id": "bob"}, {"user_id": "ann"})
    expire(conn, shop)
    return shop


def test_links_end_with_the_last_event_that_is_kept(conn: Connection, linked: str, other: str) -> None:
    assert linked in sites_with_links(conn)
    assert other not in sites_with_links(conn)
    before = conn.execute("select users - vacant_numbers from sites where site_id = %s", [linked]).fetchone()
    assert forget_links(conn, linked, most=1) == (2, None)
    assert links(conn, linked) == {"new": "ann"}
    assert len(links(conn, other)) == 3
    assert conn.execute("select users - vacant_numbers from sites where site_id = %s", [linked]).fetchone() == before
    assert forget_links(conn, linked) == (0, None)
    store(conn, linked, {"visitor_id": "old", "path": "/back"}, {"visitor_id": "old", "user_id": "ann"})
    assert links(conn, linked) == {"new": "ann", "old": "ann"}


def test_a_pass_goes_on_where_the_last_one_stopped(conn: Connection, linked: str) -> None:
    deleted, after = forget_links(conn, linked, most=2, deadline=0)
    assert (deleted, after) == (1, "old")  # new, old
    assert forget_links(conn, linked, most=2, after=after or "") == (1, None)


def test_an_event_that_is_stored_meanwhile_links_its_visitor_again(
    conn: Connection, database_url: str, linked: str
) -> None:
    waiting = "select count(*) from pg_locks where not granted"

    def beside(work: Callable[[Connection], object]) -> threading.Thread:
        def do() -> None:
            with connect(database_url) as own:
                outcome.append(work(own))

        def tried() -> None:
            try:
                do()
            except LockNotAvailable as error:  # the machine was too busy for us to hold the site so short
                outcome.append(error)

        thread = threading.Thread(target=tried)
        thread.start()
        return thread

    def waits(many: int) -> Callable[[], bool]:
        return lambda: bool(outcome) or conn.execute(waiting).fetchone() == (many,)

    while True:
        outcome: list[object] = []
        with connect(database_url) as holder, holder.transaction():
            holder.execute("select from sites where site_id = %s for update", [linked])
            forgetting = beside(lambda own: forget_links(own, linked))
            until(waits(1))
            storing = beside(lambda own: store(own, linked, {"visitor_id": "old", "path": "/late"}))
            until(waits(2))
        forgetting.join()
        storing.join()
        if not any(isinstance(one, LockNotAvailable) for one in outcome):
            break
    assert links(conn, linked) == {"new": "ann", "old": "ann"}
    late = "select user_id, count(*) from events where site_id = %s and path = '/late' group by 1"
    assert [user for user, _ in conn.execute(late, [linked])] == ["ann"]
