"""Dropping old events while others read, write and make sites, and death in the middle of it."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from db.expiry import drop_old_events
from db.store.events import (
    store_events,
)
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.db.expiry.test_expiry import NOW, OLD, ZONES, age, conn, connect, first_event, kept_from, url, visits
from tests.servers.servers import until

__all__ = ["conn", "url", "visits"]


def waits(conn: Connection) -> bool:
    """Whether somebody waits for a lock in this database. Within a transaction the answer would never change."""
    query = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    return conn.execute(query).fetchone() is not None


@pytest.mark.usefixtures("visits")
def test_a_site_that_is_made_in_between_is_told_too(conn: Connection) -> None:
    drop_old_events(conn, days=100)
    store_events(conn, batch(received("new site", timestamp=OLD[1].isoformat(), user_id="eve")))
    assert None in kept_from(conn)
    age(conn)
    assert drop_old_events(conn, days=100)
    assert len(kept_from(conn)) == 1


@pytest.mark.usefixtures("visits")
def test_a_site_that_is_made_at_the_last_moment_puts_it_off(conn: Connection, url: str) -> None:
    drop_old_events(conn, days=100)
    age(conn)
    with connect(url) as writer, connect(url) as watcher, ThreadPoolExecutor(1) as threads:
        with writer.transaction():
            store_events(writer, batch(received("new site", timestamp=OLD[0].isoformat(), user_id="eve")))
            dropping = threads.submit(drop_old_events, conn, days=100)
            until(lambda: waits(watcher))
        with pytest.raises(psycopg.errors.LockNotAvailable, match="a new site has events in events_"):
            dropping.result()
    assert first_event(conn) < OLD[0]
    age(conn)
    assert drop_old_events(conn, days=100)
    assert len(kept_from(conn)) == 1


@pytest.mark.usefixtures("visits")
def test_who_reads_for_long_is_not_disturbed(conn: Connection, url: str) -> None:
    drop_old_events(conn, days=100)
    age(conn)
    with connect(url) as reader, reader.transaction():
        count = reader.execute("select count(*) from events").fetchone()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            drop_old_events(conn, days=100)
        # Others go on.
        store_events(conn, batch(received("utc", timestamp=NOW.isoformat(), user_id="ann")))
        conn.execute("select from events")
        assert count
    assert drop_old_events(conn, days=100)
    assert conn.execute("show lock_timeout").fetchone() == ("0",)


@pytest.mark.usefixtures("visits")
def test_death_in_the_middle_leaves_what_was_there(conn: Connection, url: str) -> None:
    drop_old_events(conn, days=100)
    age(conn)
    with connect(url) as reader, reader.transaction(), connect(url) as dying, ThreadPoolExecutor(1) as threads:
        reader.execute("select from events")
        dropping = threads.submit(drop_old_events, dying, days=100)
        until(lambda: waits(conn))
        conn.execute("select pg_terminate_backend(%s)", [dying.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            dropping.result()
    assert first_event(conn) < OLD[0]
    age(conn)
    assert drop_old_events(conn, days=100)


@pytest.mark.usefixtures("visits")
def test_writers_go_on_while_events_are_dropped(conn: Connection, url: str) -> None:
    before = conn.execute("select sum(events) from event_hours").fetchone()
    stop = NOW + timedelta(hours=1)

    def write(seed: int) -> int:
        chance = random.Random(seed)
        stored = 0
        with connect(url) as own:
            for _ in range(20):
                sites = chance.sample(list(ZONES), 3)
                events = [received(site, timestamp=stop.isoformat(), user_id="ann") for site in sites]
                stored += store_events(own, batch(*events)).stored
        return stored

    with ThreadPoolExecutor(2) as threads:
        writing = [threads.submit(write, seed) for seed in range(2)]
        for days in range(118, 98, -4):
            drop_old_events(conn, days=days)
            age(conn)
        stored = sum(one.result() for one in writing)
    assert stored == 120
    assert before
    assert conn.execute("select sum(events) from event_hours").fetchone() == (before[0] + stored,)
