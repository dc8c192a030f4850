"""RETENTION_DAYS: old events go, a partition at a time; their numbers stay, and nothing is counted a second time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from click.testing import CliRunner

from actors import maintenance
from apps.cli import main
from apps.events.validation import EventValidator
from apps.web.problems import Refusal
from db.dead_letters.replay import replay
from db.events.event import ReceivedEvent
from db.expiry import drop_old_events
from db.migrations import migrate
from db.rollups.advance import advance, sites_behind
from db.settings import Settings
from db.store.events import Message, store_events, store_messages
from db.store.whole_or_apart import store_apart
from tests.builders.factories import batch, event, received
from tests.conftest import Connection
from tests.db.schema.test_migrations import EmptyDatabase
from tests.servers.queue import connections_of_a_worker

NOW = datetime.now(UTC).replace(microsecond=0)
#: Three partitions that are no longer kept after 100 days, whatever day it is, and two that are.
OLD = [NOW - timedelta(days=days) for days in (121, 114, 107)]
KEPT = [NOW - timedelta(days=days) for days in (98, 1)]
ZONES = {"utc": "UTC", "kolkata": "Asia/Kolkata", "new york": "America/New_York"}
ROLLUPS = ("event_hours", "path_days", "user_days", "sessions", "session_days", "session_page_days", "users")


@pytest.fixture
def url(empty_database: EmptyDatabase) -> str:
    url = empty_database()
    migrate(url)
    return url


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with connect(url) as conn:
        yield conn


@pytest.fixture
def visits(conn: Connection) -> list[ReceivedEvent]:
    """Two users and an anonymous visitor every three hours of some days around each moment, on three sites."""
    for site, zone in ZONES.items():
        conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [site, zone])
    events = [
        received(site, timestamp=(moment + hours * timedelta(hours=1)).isoformat(), user_id=user)
        for site in ZONES
        for moment in OLD + KEPT
        for hours in range(-24 * 5, 24 * 5, 3)  # so that there are some at the bound, whatever day it is
        for user in ("ann", f"{moment:%d}", None)
        if moment + hours * timedelta(hours=1) <= NOW
    ]
    store_events(conn, batch(*events))
    return events


def connect(url: str) -> Connection:
    return psycopg.connect(url, autocommit=True)


def age(conn: Connection) -> None:
    """As if five minutes went by since it was said what is kept, and maintenance had been there."""
    conn.execute("update kept_events set said_at = said_at - interval '5 minutes'")
    for rollup in ("sessions", "user_months"):
        for site in sites_behind(conn, rollup, NOW):
            advance(conn, rollup, site, target=NOW, most=100_000)


def drop(conn: Connection) -> list[str]:
    """Say that events are kept for 100 days, and drop the rest."""
    assert drop_old_events(conn, days=100) == []
    age(conn)
    return drop_old_events(conn, days=100)


def numbers(conn: Connection) -> dict[str, Any]:
    return {name: conn.execute(f"select * from {name} order by 1, 2, 3, 4".encode()).fetchall() for name in ROLLUPS}


def first_event(conn: Connection) -> datetime:
    (first,) = conn.execute("select min(event_time) from events").fetchone() or (None,)
    assert isinstance(first, datetime)
    return first


def kept_from(conn: Connection) -> set[datetime | None]:
    return {moment for (moment,) in conn.execute("select events_from from sites")}


@pytest.mark.usefixtures("visits")
def test_old_events_go_and_their_numbers_stay(conn: Connection, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drop_old_events(conn, days=100) == []
    assert drop_old_events(conn, days=100) == []  # it was said just now
    assert first_event(conn) < OLD[0]
    age(conn)
    before = numbers(conn)
    assert len(drop_old_events(conn, days=100)) >= 3
    assert drop_old_events(conn, days=100) == []

    (bound,) = kept_from(conn)
    assert bound
    assert NOW - timedelta(days=108) < bound <= NOW - timedelta(days=100) < bound + timedelta(days=7, hours=1)
    assert bound <= first_event(conn) < bound + timedelta(hours=3)
    assert numbers(conn) == before
    # The bound cuts a day of two sites: that day cannot be recounted.
    monkeypatch.setenv("DATABASE_URL", url)
    assert CliRunner().invoke(main, ["verify"]).exit_code == 0
    assert CliRunner().invoke(main, ["rebuild", "--all-sites"]).exit_code == 0
    assert numbers(conn) == before
    conn.execute("update path_days set events = events + 1 where day > %s::date + 1", [bound])
    assert CliRunner().invoke(main, ["verify"]).exit_code == 1
    assert CliRunner().invoke(main, ["rebuild", "--all-sites"]).exit_code == 0
    assert numbers(conn) == before


@pytest.mark.usefixtures("visits")
def test_nothing_goes_that_is_young_enough(conn: Connection) -> None:
    assert drop_old_events(conn, days=130) == []
    assert kept_from(conn) == {None}
    assert conn.execute("select from kept_events").fetchall() == []


def test_what_is_sent_again_or_comes_late_is_not_counted_but_filed(
    conn: Connection, visits: list[ReceivedEvent]
) -> None:
    drop(conn)
    before = numbers(conn)
    resent = min(visits, key=lambda one: one.timestamp)
    late = received("utc", timestamp=OLD[1].isoformat(), user_id="eve")
    elsewhere = received("new site", timestamp=OLD[1].isoformat(), user_id="eve")
    good = received("utc", timestamp=NOW.isoformat(), user_id="ann", event_type="click")
    message = Message(str(uuid4()), batch(resent, late, elsewhere, good))
    with pytest.raises(psycopg.errors.CheckViolation, match=r"no partition is made for .*: events before .* no longer"):
        store_messages(conn, [message])
    assert store_apart(conn, message, queue="events") == (4, 1, 3)

    letters = conn.execute("select id::text, error, payload from dead_letters").fetchall()
    assert {payload for *_, payload in letters} == {msgspec.json.encode(one) for one in (resent, late, elsewhere)}
    assert all("are no longer kept" in error for _, error, _ in letters)
    replay(conn, letters[0][0], request=str(uuid4()))
    again = conn.execute("select state, attempts from dead_letters order by 2").fetchall()
    assert again == [("dead", 1), ("dead", 1), ("dead", 2)]
    conn.execute("delete from event_hours where event_type = 'click'")
    conn.execute("delete from path_days where event_type = 'click'")
    conn.execute("delete from user_days where event_type = 'click'")
    assert numbers(conn) == before
    assert first_event(conn) > OLD[2]


@pytest.mark.usefixtures("visits")
def test_a_partition_that_is_made_afterwards_begins_where_events_are_kept(conn: Connection) -> None:
    drop(conn)
    (bound,) = kept_from(conn)
    assert bound
    conn.execute("update kept_events set events_from = events_from + interval '3 days'")
    conn.execute("select drop_oldest_partition(now(), now())")
    for (name,) in conn.execute("select name from event_partitions").fetchall():
        conn.execute(f"drop table {name}".encode())
    conn.execute("select make_partition(%s)", [bound + timedelta(days=4)])
    assert conn.execute("select starts from event_partitions").fetchall() == [(bound + timedelta(days=3),)]


def test_the_upkeep_does_it_where_it_is_set(conn: Connection, url: str, visits: list[ReceivedEvent]) -> None:
    with connections_of_a_worker(url) as database:
        maintenance.drop_old_events.fn(database=database)
        assert kept_from(conn) == {None}
    with connections_of_a_worker(url, retention_days=100) as database:
        maintenance.drop_old_events.fn(database=database)
        age(conn)
        maintenance.drop_old_events.fn(database=database)
    assert first_event(conn) > OLD[2]
    assert first_event(conn) < KEPT[0]
    assert len(visits) > (conn.execute("select count(*) from events").fetchone() or (0,))[0]


def test_an_event_that_would_not_be_kept_is_refused_at_the_door() -> None:
    validator = EventValidator(Settings(retention_days=30))
    validator.event(msgspec.json.encode(event("shop", timestamp=(NOW - timedelta(days=29)).isoformat())))
    with pytest.raises(Refusal) as refused:
        validator.event(msgspec.json.encode(event("shop", timestamp=(NOW - timedelta(days=31)).isoformat())))
    (error,) = refused.value.problem.errors
    assert (error.field, "before" in error.reason) == ("timestamp", True)
    earliest = datetime.fromisoformat(error.allowed.split(" ")[1])
    assert timedelta(0) <= datetime.now(UTC) - timedelta(days=30) - earliest < timedelta(minutes=1)
