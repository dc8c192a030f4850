"""What is not known refuses: nothing is dropped on a null, a default or the first run."""

from datetime import timedelta

import psycopg
import pytest

from db.expiry import NOTICE, drop_old_events, plan
from tests.conftest import Connection
from tests.db.expiry.test_retention_life import DAY, Life, conn

__all__ = ["conn"]


@pytest.mark.parametrize("mark", ["events_from", "sessions_until", "user_months_until"])
def test_what_is_not_known_of_one_site_refuses(conn: Connection, mark: str) -> None:
    life = Life(conn, days_ago=60)
    life.live(20, keep=None)
    drop_old_events(conn, days=10, now=life.now)
    conn.execute("alter table sites alter sessions_until drop not null, alter user_months_until drop not null")
    update = f"update sites set {mark} = null where site_id = 'kolkata'"
    if mark == "events_from":  # as if telling it did nothing
        conn.execute("create or replace function tell_sites_what_is_kept() returns void language sql as 'select'")
    conn.execute(update.encode())
    later = life.now + 2 * NOTICE
    assert drop_old_events(conn, days=10, now=later) == []
    assert len(life.events()) == len(life.stored)


def test_an_unknown_moment_or_present_refuses(conn: Connection) -> None:
    life = Life(conn, days_ago=60)
    life.live(20, keep=None)
    drop_old_events(conn, days=10, now=life.now)
    later = life.now + 2 * NOTICE
    drop = "select drop_oldest_partition(%s::timestamptz, %s::timestamptz)"
    for moment, present in ((None, later), (later, None), (None, None)):
        assert conn.execute(drop, [moment, present]).fetchone() == (None,)
        with pytest.raises(psycopg.errors.NullValueNotAllowed):
            conn.execute("select forget_events_before(%s::timestamptz, %s::timestamptz)", [moment, present])
    conn.execute("delete from kept_events")
    assert conn.execute(drop, [later, later]).fetchone() == (None,)
    assert len(life.events()) == len(life.stored)


def test_where_there_is_no_site_only_an_empty_partition_goes(conn: Connection) -> None:
    life = Life(conn, days_ago=60)
    life.live(10, keep=None)
    conn.execute("select make_partition(%s)", [life.now - 40 * DAY])
    conn.execute("delete from sites")
    drop_old_events(conn, days=1, now=life.now)
    dropped = drop_old_events(conn, days=1, now=life.now + NOTICE)
    assert len(dropped) == 1
    assert [one.blocked for one in plan(conn, days=1, now=life.now + NOTICE) if one.contents.events] == [True]
    assert len(life.events()) == len(life.stored)


def test_what_comes_late_for_what_was_said_is_counted_as_long_as_its_partition_is_there(conn: Connection) -> None:
    life = Life(conn, days_ago=60)
    life.live(30, keep=None)
    drop_old_events(conn, days=10, now=life.now)
    late = ("utc", life.now - 20 * DAY + timedelta(seconds=1))
    life.store(late)
    life.check(10, life.now)
    assert life.a_pass(10)
    with pytest.raises(psycopg.errors.CheckViolation, match="are no longer kept"):
        life.store(("utc", life.now - 20 * DAY + timedelta(seconds=2)))
    life.check(10, life.now)
