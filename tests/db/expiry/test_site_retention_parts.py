"""A site's own retention deletes part by part: what holds in between, and afterwards; and where it has no effect."""

from contextlib import suppress

import psycopg
import pytest

from db.expiry import NOTICE, drop_old_events
from db.sites.retention import delete_expired, site_plan
from db.sites.timezones import set_timezone
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.db.expiry.test_site_retention import (
    DAY,
    MIDNIGHT,
    NOW,
    a_pass,
    conn,
    expire,
    has_no_differences,
    maintain,
    numbers,
    own,
    times,
    told,
    visits,
)
from tests.life.mortal import Killed, Mortal

__all__ = ["conn", "visits"]


@pytest.mark.usefixtures("visits")
def test_wherever_it_is_killed_no_number_is_half(conn: Connection, url: str) -> None:
    before, all_of_it = numbers(conn), times(conn, "short")
    own(conn, "short", 20)
    a_pass(conn)
    states = set()
    for statements in (4, 5, 6, 7, 8, 9):
        with suppress(Killed), Mortal.connect(url, autocommit=True, prepare_threshold=None) as mortal:
            mortal.statements_left = statements
            delete_expired(mortal, "short", days=None, now=NOW + NOTICE, most=9)
        deleted = told(conn, "short")[2]
        states.add(deleted)
        assert times(conn, "short") == [one for one in all_of_it if deleted is None or one >= deleted]
        assert numbers(conn) == before
        late = received("short", timestamp=(all_of_it[0]).isoformat(), user_id="eve")
        if deleted is not None:
            with pytest.raises(psycopg.errors.CheckViolation):
                store_events(conn, batch(late))
    assert len(states) > 4
    assert has_no_differences(url)
    a_pass(conn, now=NOW + NOTICE)
    assert told(conn, "short")[2] == MIDNIGHT - 20 * DAY
    assert numbers(conn) == before


@pytest.mark.some(1)
@pytest.mark.parametrize("most", [10_000, 9], ids=["all", "some"])
@pytest.mark.usefixtures("visits")
def test_the_timezone_may_change_afterwards_and_in_between(conn: Connection, url: str, most: int) -> None:
    own(conn, "short", 20)
    a_pass(conn)
    with suppress(Killed), Mortal.connect(url, autocommit=True, prepare_threshold=None) as mortal:
        mortal.statements_left = None if most == 10_000 else 9
        delete_expired(mortal, "short", days=None, now=NOW + NOTICE, most=most)
    deleted = told(conn, "short")[2]
    assert deleted is not None
    assert (deleted == MIDNIGHT - 20 * DAY) == (most == 10_000)
    sums = """
        select
            (select sum(events) from path_days), (select sum(events) from event_hours),
            (select sum(sessions) from session_days), (select count(*) from sessions),
            (select sum(amount) from sale_days where outcome = 'counted'), (select count(*) from users)
    """
    before = conn.execute(sums).fetchone()
    for zone in ("America/New_York", "UTC", "Pacific/Chatham", "Asia/Kolkata"):
        set_timezone(conn, "short", zone)
        assert conn.execute(sums).fetchone() == before
        assert has_no_differences(url)
        a_pass(conn, now=NOW + NOTICE)


def test_a_user_stays_as_new_as_they_were(conn: Connection) -> None:
    first, later = NOW - 40 * DAY, NOW - 30 * DAY
    for moment in (later, first, NOW - DAY):  # the first one comes late
        store_events(conn, batch(received("short", timestamp=moment.isoformat(), user_id="ann")))
    maintain(conn)
    expire(conn, "short", 20, most=1)
    assert conn.execute("select user_id, first_seen from users").fetchall() == [("ann", first)]
    assert times(conn, "short") == [NOW - DAY]


@pytest.mark.usefixtures("visits")
def test_what_a_site_deleted_is_not_taken_for_lost(conn: Connection) -> None:
    for site in ("short", "middle"):
        expire(conn, site, 5)
    (name, ends) = conn.execute("select name, ends from event_partitions order by starts limit 1").fetchone() or ("", 0)
    conn.execute(f"drop table {name}".encode())
    assert conn.execute("select note_lost_events(%s)", [NOW]).fetchone() == (ends,)
    assert told(conn, "long")[0] == ends
    assert told(conn, "short")[0] == MIDNIGHT - 5 * DAY


@pytest.mark.usefixtures("visits")
def test_only_fewer_days_than_all_have_count(conn: Connection) -> None:
    there = times(conn, "short")
    own(conn, "short", 20)
    for days in (19, 20):
        conn.execute("update sites set own_events_from = null, own_said_at = null")
        for now in (NOW, NOW + NOTICE):
            assert delete_expired(conn, "short", days=days, now=now) == 0
        assert told(conn, "short") == (None, None, None)
    assert site_plan(conn, days=20) == []
    assert times(conn, "short") == there
    (plan,) = site_plan(conn, days=21)
    assert (plan.site_id, plan.days, plan.events) == ("short", 20, sum(one < MIDNIGHT - 20 * DAY for one in there))
    # What was announced is taken back when all keep their events for less time, and left to that.
    delete_expired(conn, "short", days=None, now=NOW)
    assert told(conn, "short")[1] == MIDNIGHT - 20 * DAY
    assert delete_expired(conn, "short", days=10, now=NOW + NOTICE) == 0
    assert told(conn, "short") == (None, None, None)


@pytest.mark.usefixtures("visits")
def test_what_is_taken_back_of_all_stays_announced_of_the_site_that_said_the_same(conn: Connection) -> None:
    days = next(days for days in range(20, 27) if (MIDNIGHT - days * DAY).weekday() == 0)  # where a partition ends
    own(conn, "short", days)
    a_pass(conn)
    drop_old_events(conn, days=days, now=NOW)
    assert told(conn, "long")[0] == told(conn, "short")[0] == MIDNIGHT - days * DAY
    drop_old_events(conn, days=400, now=NOW)
    assert (told(conn, "long")[0], told(conn, "short")[0]) == (None, MIDNIGHT - days * DAY)
    assert a_pass(conn, days=400, now=NOW + NOTICE) > 0
