"""Events that rollups have and no partition has: somebody dropped partitions by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.conninfo import make_conninfo

from apps.cli import main
from db.events.event import ReceivedEvent
from db.expiry import drop_old_events
from db.migrations import migrate
from db.rollups import recount
from db.rollups.advance import advance
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.servers import Servers

NOW = datetime.now(UTC).replace(microsecond=0)
MONDAY = (NOW - timedelta(days=NOW.weekday())).replace(hour=0, minute=0, second=0)
WEEK = timedelta(days=7)
#: Weeks with gaps between them, and the present; of one site also a year's partition.
HISTORY = [*(MONDAY - weeks * WEEK for weeks in (14, 12, 11, 5, 2)), NOW]
LONG_AGO = datetime(NOW.year - 4, 5, 5, tzinfo=UTC)
ZONES = ["UTC", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham"]
#: Since then: not rebuilt in these tests, as each of its days would be.
OLD = "America/St_Johns"
TABLES = ("event_hours", "path_days", "user_days", "sessions", "users", "user_months", "event_totals")


@pytest.fixture(scope="module")
def history(servers: Servers) -> Iterator[str]:
    """The name of a database with sites of several timezones, one without events, and all maintenance done."""
    name = f"test_{uuid4().hex[:12]}"
    servers.administer(f"create database {name} encoding 'UTF8' locale 'C' template template0")
    url = make_conninfo(servers.database_url, dbname=name)
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        for zone in [*ZONES, "nothing"]:
            timezone = zone if "/" in zone else "UTC"
            conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [zone, timezone])
        conn.execute("select make_partition(%s::timestamptz - interval '1 week')", [MONDAY])  # and an empty one
        store_all(conn)
        maintain(conn)
    yield name
    servers.administer(f"drop database {name} with (force)")


@pytest.fixture
def url(servers: Servers, history: str) -> Iterator[str]:
    """A copy of that database."""
    name = f"test_{uuid4().hex[:12]}"
    servers.administer(f"create database {name} template {history}")
    yield make_conninfo(servers.database_url, dbname=name)
    servers.administer(f"drop database {name} with (force)")


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn


def store_all(conn: Connection) -> None:
    """Events every half an hour about each moment of the history: where it is a Monday, on both sides of a bound."""
    steps = [step * timedelta(minutes=30) for step in range(-6, 6)]
    for zone in ZONES:
        history = [LONG_AGO, *HISTORY] if zone == OLD else HISTORY
        moments = [min(moment + step, NOW) for moment in history for step in steps]
        for moment in moments:
            conn.execute("select make_partition(%s)", [moment])
        pairs = zip(moments, [f"{number % 3}" for number in range(len(moments))], strict=True)
        store(conn, *(received(zone, timestamp=at.isoformat(), user_id=user) for at, user in pairs))


def store(conn: Connection, *events: ReceivedEvent) -> None:
    conn.execute("select store_events(%s::text::jsonb, now())", [batch(*events).decode()])


def maintain(conn: Connection) -> None:
    for zone in [*ZONES, "nothing"]:
        for rollup in ("sessions", "user_months", "path_spans", "user_spans", "top_paths"):
            while advance(conn, rollup, zone, target=NOW - timedelta(hours=3)):
                pass


def drop_by_hand(conn: Connection) -> None:
    """All partitions but that of this week."""
    for (name,) in conn.execute("select name from event_partitions where ends <= %s", [MONDAY]).fetchall():
        conn.execute(f"drop table {name}".encode())


def note_lost_events(conn: Connection) -> datetime | None:
    (moment,) = conn.execute("select note_lost_events()").fetchone() or (None,)
    return moment


def numbers(conn: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {table: conn.execute(f"select * from {table} order by 1, 2, 3".encode()).fetchall() for table in TABLES}


def said(conn: Connection) -> set[datetime | None]:
    return {moment for (moment,) in conn.execute("select events_from from sites")}


def rebuild(url: str) -> None:
    for zone in [*ZONES, "nothing"]:
        result = tjra(url, "rebuild", "--site", zone, *(["--from", str(HISTORY[0].date())] if zone == OLD else []))
        assert result.exit_code == 0, result.output


def tjra(url: str, *arguments: str) -> Result:
    return CliRunner(env={"DATABASE_URL": url}).invoke(main, arguments)


def test_it_is_noted_what_somebody_dropped(conn: Connection, url: str) -> None:
    drop_by_hand(conn)
    assert conn.execute("select count(*) from events where event_time < %s", [MONDAY]).fetchone() == (0,)
    assert said(conn) == {None}
    was = numbers(conn)
    assert note_lost_events(conn) == MONDAY
    assert said(conn) == {MONDAY}
    assert conn.execute("select events_from, dropped_until from kept_events").fetchall() == [(MONDAY, MONDAY)]
    assert tjra(url, "verify").exit_code == 0
    rebuild(url)
    assert numbers(conn) == was
    kept_from = "select kept_from from report_range(%s, now(), null, %s, %s, null, null, null)"
    for day, refused in ((LONG_AGO.date(), True), (date(2019, 5, 5), False), (MONDAY.date() - 5 * WEEK, True)):
        found = conn.execute(kept_from, [OLD, day, day + timedelta(days=1)]).fetchone()
        assert found == (MONDAY if refused else None,)
    assert drop_old_events(conn, days=400) == drop_old_events(conn, days=400) == []
    assert said(conn) == {MONDAY}


@pytest.mark.some(1)
@pytest.mark.parametrize("weeks", [14, 5, 2])
def test_a_partition_that_late_events_made_anew_is_not_taken_for_whole(conn: Connection, url: str, weeks: int) -> None:
    drop_by_hand(conn)
    late = MONDAY - weeks * WEEK + timedelta(hours=1)
    conn.execute("select make_partition(%s)", [late])
    store(conn, received("UTC", timestamp=late.isoformat(), user_id="late"))
    assert note_lost_events(conn) == MONDAY
    (bound,) = said(conn)
    assert bound == MONDAY
    assert tjra(url, "verify").exit_code == 0
    # That partition goes once it is old enough, and not before.
    assert drop_old_events(conn, days=400) == drop_old_events(conn, days=400) == []
    assert conn.execute("select count(*) from events where user_id = 'late'").fetchone() == (1,)


@pytest.mark.some(1)
@pytest.mark.parametrize("state", ["whole", "kept", "other timezones", "said"])
def test_a_healthy_database_is_never_marked(conn: Connection, url: str, state: str) -> None:
    if state == "other timezones":  # and not rebuilt yet
        conn.execute("update sites set timezone = 'Asia/Kathmandu' where site_id <> 'nothing'")
    if state in ("kept", "said"):
        conn.execute("select forget_events_before(now() - interval '50 days', now())")
    if state == "kept":
        conn.execute("update kept_events set said_at = said_at - interval '6 minutes'")
        dropped = conn.execute("select drop_oldest_partition(now() - interval '50 days', now())").fetchone()
        assert dropped != (None,)
    was = said(conn)
    kept = conn.execute("select events_from, said_at from kept_events").fetchall()
    assert note_lost_events(conn) is None
    assert said(conn) == was
    assert conn.execute("select events_from, said_at from kept_events").fetchall() == kept
    if state in ("whole", "other timezones"):
        rebuild(url)
        for zone in {*ZONES} - {OLD}:
            assert tjra(url, "verify", "--site", zone).exit_code == 0


@pytest.mark.some(1)
@pytest.mark.parametrize("weeks", [14, 5, 2])
def test_a_rebuild_takes_nothing_off_whose_partition_is_gone(conn: Connection, url: str, weeks: int) -> None:
    (name,) = conn.execute(
        "select name from event_partitions where starts <= %(at)s and ends > %(at)s", {"at": MONDAY - weeks * WEEK}
    ).fetchone() or ("",)
    conn.execute(f"drop table {name}".encode())
    was = numbers(conn)
    for zone in ZONES:
        refused = tjra(url, "rebuild", "--site", zone)
        assert refused.exit_code == 1
        assert f"{zone}: cannot be rebuilt: {zone}: rollups have " in refused.output
        assert "that are in no partition of events; a rebuild would subtract them" in refused.output
        day = (MONDAY - weeks * WEEK + timedelta(hours=2)).date()
        for of_days in (recount.rebuild_days, recount.rebuild_deferred):
            with pytest.raises(recount.EventsLost):
                of_days(conn, zone, first_day=day, last_day=day)
        for whole in (recount.rebuild_orders, lambda *site: recount.rebuild_users(*site, renumber=True)):
            with pytest.raises(recount.EventsLost):
                whole(conn, zone)
        # Days of which all is there can be made right.
        recount.rebuild_days(conn, zone, first_day=NOW.date(), last_day=NOW.date())
    assert numbers(conn) == was
    assert tjra(url, "rebuild", "--site", "nothing").exit_code == 0

    assert note_lost_events(conn) is not None
    assert tjra(url, "verify").exit_code == 0
    rebuild(url)
    assert numbers(conn) == was
    # What is older than that is there, and goes no sooner than it should.
    conn.execute("update kept_events set said_at = said_at - interval '6 minutes'")
    assert drop_old_events(conn, days=36_500) == []
