"""What is done now and then: it counts, it forgets, and it does not mind that a server is away."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

import actors
from actors import maintenance
from actors.broker import broker
from db.rollups.advance import Rollup
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.servers.queue import connections_of_a_worker
from tests.servers.servers import until

pytestmark = pytest.mark.usefixtures("worker")


def test_what_redis_has_counted_is_kept(conn: Connection, shop: str) -> None:
    broker.client.hset(f"{broker.namespace}:accepted", f"2026-03-10 {shop}", "7")
    actors.maintenance.count_accepted.send()
    query = "select events from accepted_days where site_id = %s and day = '2026-03-10'"
    until(lambda: conn.execute(query, [shop]).fetchall() == [(7,)])
    until(lambda: not broker.client.hexists(f"{broker.namespace}:accepted", f"2026-03-10 {shop}"))


def test_messages_that_were_settled_days_ago_are_forgotten(conn: Connection) -> None:
    insert = "insert into settled_messages values (gen_random_uuid(), now() - %s::interval)"
    for age in ("4 days", "2 hours"):
        conn.execute(insert, [age])
    query = "select from settled_messages where settled_at < now() - interval '74 hours'"
    actors.maintenance.forget_settled_messages.send()
    until(lambda: conn.execute(query).fetchall() == [])


def test_links_of_visitors_end_with_their_last_event(conn: Connection, shop: str, other: str) -> None:
    for site in (shop, other):
        store_events(conn, batch(received(site, user_id="ann", visitor_id="old"), received(site, user_id="ann")))
        store_events(conn, batch(received(site, user_id="ann", visitor_id="new")))
        conn.execute("delete from events where site_id = %s and visitor_id = 'old'", [site])
    conn.execute("update sites set events_from = '2026-03-10 00:00Z' where site_id = %s", [shop])
    actors.maintenance.forget_links.send()
    query = "select visitor_id from visitors where site_id = %s order by 1"
    until(lambda: conn.execute(query, [shop]).fetchall() == [("new",)])
    assert conn.execute(query, [other]).fetchall() == [("new",), ("old",)]


def test_sessions_move_on_but_for_the_last_hours(conn: Connection, shop: str) -> None:
    now = datetime.now(UTC)
    for hours in (2, 4, 5):
        store_events(conn, batch(received(shop, user_id="ann", timestamp=(now - timedelta(hours=hours)).isoformat())))
    actors.maintenance.advance.send("sessions")
    query = "select count(*) from sessions where site_id = %s"
    until(lambda: conn.execute(query, [shop]).fetchall() == [(2,)])


def test_paths_of_a_sixth_of_a_month_that_is_over_are_summed_up(conn: Connection, shop: str) -> None:
    now = datetime.now(UTC)
    for days in (0, 10, 30):
        store_events(conn, batch(received(shop, timestamp=(now - timedelta(days=days)).isoformat())))
    actors.maintenance.advance.send("path_spans")
    query = "select sum(events) from path_spans where site_id = %s and end_day - first_day < 7"
    until(lambda: conn.execute(query, [shop]).fetchall() == [(2,)])
    assert differences(conn, shop) == {}


def test_users_of_a_day_that_is_over_are_united(conn: Connection, shop: str) -> None:
    now = datetime.now(UTC)
    for days, user in ((0, "ann"), (10, "bob"), (30, "ann")):
        moment = (now - timedelta(days=days)).isoformat()
        store_events(conn, batch(received(shop, timestamp=moment, user_id=user)))
    actors.maintenance.advance.send("user_spans")
    query = "select sum(bit_count(users)) from user_spans where site_id = %s and end_day = first_day + 1"
    until(lambda: conn.execute(query, [shop]).fetchall() == [(2,)])
    assert differences(conn, shop) == {}


def test_what_users_did_on_a_day_that_is_over_is_packed(conn: Connection, shop: str) -> None:
    now = datetime.now(UTC)
    for days in (0, 10, 30):
        store_events(conn, batch(received(shop, timestamp=(now - timedelta(days=days)).isoformat(), user_id="ann")))
    actors.maintenance.advance.send("user_months")
    query = "select sum(cardinality(moments)) from user_months where site_id = %s"
    until(lambda: conn.execute(query, [shop]).fetchall() == [(2,)])
    assert differences(conn, shop) == {}


def test_an_absent_server_is_left_for_the_next_time(caplog: pytest.LogCaptureFixture) -> None:
    with connections_of_a_worker("host=/nowhere", connection_timeout=0.2) as nowhere:
        for actor in (
            maintenance.make_partitions,
            maintenance.forget_settled_messages,
            maintenance.count_accepted,
        ):
            actor.fn(database=nowhere)
        for rollup in get_args(Rollup):
            maintenance.advance.fn(rollup, database=nowhere)
    assert [record.message.partition(":")[0] for record in caplog.records if record.name == "actors.maintenance"] == [
        "left for the next time"
    ] * 8
