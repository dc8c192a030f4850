"""`tjra rebuild` while the system runs: nobody's events are lost, counted twice or kept waiting for another site."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import psycopg
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.events.event import ReceivedEvent
from db.migrations import migrate
from db.rollups.recount import rebuild_days
from db.store.events import store_events
from tests.builders.factories import NOW, batch, received
from tests.conftest import Connection
from tests.db.schema.test_migrations import EmptyDatabase
from tests.oracles.recount import differences


def some_event(shop: str, number: int) -> ReceivedEvent:
    """Event `number` of many: over ten days, with few paths, and a user who comes back now and then."""
    return received(
        shop,
        event_type=("page_view", "click")[number % 2],
        path=f"/{number % 7}",
        user_id=f"user {number % 1013}",
        timestamp=(NOW - timedelta(hours=number % 240)).isoformat(),
    )


def test_events_are_stored_meanwhile(database_url: str, conn: Connection, shop: str) -> None:
    store_events(conn, batch(*(some_event(shop, number) for number in range(1000))))
    conn.execute("update sites set timezone = 'Asia/Kolkata' where site_id = %s", [shop])
    conn.execute("delete from path_days where site_id = %s and path = '/3'", [shop])
    conn.execute("update user_days set users = users >> 1 where site_id = %s", [shop])
    started, done = Event(), Event()

    def write(writer: int) -> int:
        """Store batches until the rebuild is over; answers how many events."""
        number = 0
        with psycopg.connect(database_url, autocommit=True) as own:
            while not done.is_set():
                store_events(own, batch(*(some_event(shop, writer * 500 + number + step) for step in range(20))))
                number += 20
                started.set()
        return number

    with ThreadPoolExecutor(2) as threads:
        writers = [threads.submit(write, writer) for writer in (1, 2)]
        started.wait()
        result = CliRunner().invoke(main, ["rebuild", "--site", shop])
        done.set()
        written = sum(writer.result() for writer in writers)
    assert result.exit_code == 0
    assert conn.execute("select count(*) from events where site_id = %s", [shop]).fetchone() == (1000 + written,)
    assert differences(conn, shop) == {}
    assert CliRunner().invoke(main, ["verify", "--site", shop]).exit_code == 0


def test_only_writers_of_the_site_wait_and_one_that_dies_leaves_nothing(
    database_url: str, conn: Connection, shop: str, other: str
) -> None:
    store_events(conn, batch(received(shop, user_id="ann"), received(other, user_id="ann")))
    conn.execute("update path_days set events = 5 where site_id = %s", [shop])
    with psycopg.connect(database_url) as rebuilding:
        rebuilding.execute("select")  # a transaction has begun
        assert rebuild_days(rebuilding, shop, first_day=NOW.date(), last_day=NOW.date()) == 1
        conn.execute("set lock_timeout = '50ms'")
        store_events(conn, batch(received(other, user_id="bob")))
        with pytest.raises(psycopg.errors.LockNotAvailable):
            store_events(conn, batch(received(shop, user_id="bob")))
        rebuilding.rollback()
    assert conn.execute("select events from path_days where site_id = %s", [shop]).fetchall() == [(5,)]
    store_events(conn, batch(received(shop, user_id="bob")))
    assert differences(conn, other) == {}


def test_all_sites_can_be_rebuilt(empty_database: EmptyDatabase) -> None:
    url = empty_database()
    migrate(url)
    tjra = CliRunner(env={"DATABASE_URL": url})
    with psycopg.connect(url, autocommit=True) as conn:
        store_events(conn, batch(received("shop"), received("other")))
        conn.execute("update event_hours set events = 5")
        assert tjra.invoke(main, ["verify"]).exit_code == 1
        result = tjra.invoke(main, ["rebuild", "--all-sites"])
        assert result.output == "other: 1 rows corrected\nshop: 1 rows corrected\n"
        assert differences(conn) == {}
    assert tjra.invoke(main, ["verify"]).exit_code == 0
