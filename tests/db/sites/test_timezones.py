"""A site's timezone: checked where it is kept, and changed with all that goes by its days in one transaction."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import available_timezones

import psycopg
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.connections import pools
from db.migrations import MigrationError, migrate
from db.rollups.advance import Rollup, advance
from db.sites.timezones import set_timezone
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.db.schema.test_migrations import EmptyDatabase
from tests.oracles.before import migrate_as_before
from tests.oracles.naive import ZONES
from tests.oracles.recount import differences

#: Timezones as far from each other as there are, with odd offsets and changes of clocks.
JOURNEY = ("Pacific/Kiritimati", "Pacific/Niue", "Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe", "UTC")
#: What somebody may have written by hand into a database of the version before, and the sites that have it.
WRONG = ("Europe/Berln", "", "+02", "UTC+2", "localtime", " Europe/Berlin", "it's noon")


def run(*arguments: str, url: str | None = None) -> Any:
    return CliRunner(env={"DATABASE_URL": url} if url else None).invoke(main, arguments)


def some_events(conn: Connection, site: str, now: datetime) -> None:
    """Events of months up to now, of users who come back, with orders, some of them sent twice."""
    moments = [now - timedelta(hours=7 * number, minutes=13 * number % 60) for number in range(200)]
    events = [
        received(
            site,
            timestamp=moment.isoformat(),
            user_id=f"user {number % 7}" if number % 5 else None,
            event_type=("page_view", "click", "purchase")[number % 3],
            path=f"/{number % 4}",
            properties={
                "order_id": f"{number % 50}",
                "revenue": number,
                "currency": "EUR",
                "products": [{"product_id": f"{number % 3}", "price": 2}],
            },
        )
        for number, moment in enumerate(moments)
    ]
    store_events(conn, batch(*events))


def move_on(conn: Connection, site: str, target: datetime) -> None:
    for rollup in get_args(Rollup):
        while advance(conn, rollup, site, target=target):
            pass


@pytest.fixture
def unchecked(empty_database: EmptyDatabase) -> str:
    """A database whose timezones were never checked."""
    url = empty_database()
    migrate_as_before(url)
    return url


@pytest.mark.some(1)
@pytest.mark.parametrize("moved_on", [timedelta(), timedelta(days=20), None], ids=["all", "some", "nothing"])
def test_a_change_makes_all_days_anew(conn: Connection, shop: str, other: str, moved_on: timedelta | None) -> None:
    now = datetime.now(UTC)
    for site in (shop, other):
        some_events(conn, site, now)
    if moved_on is not None:
        move_on(conn, shop, now - moved_on)
    for step in JOURNEY:
        set_timezone(conn, shop, step)
        assert differences(conn, shop) == {}
        some_late = [
            received(shop, user_id="late", timestamp=(now - timedelta(days=day)).isoformat()) for day in (0, 1, 40)
        ]
        store_events(conn, batch(*some_late))
    move_on(conn, shop, now)
    assert differences(conn, shop) == {}
    assert run("verify", "--site", shop).exit_code == 0
    assert run("rebuild", "--site", shop).output == f"{shop}: 0 rows corrected\n"
    assert run("timezone", "--site", other).output == "UTC\n"


def test_reports_have_the_old_days_until_it_is_done(database_url: str, conn: Connection, shop: str) -> None:
    store_events(conn, batch(received(shop, timestamp="2026-03-10T23:30:00Z")))
    day = "select day::text from path_days where site_id = %s"
    with closing(pools.connect(database_url)) as changing, pools.writing(changing):
        set_timezone(changing, shop, "Europe/Berlin")
        assert conn.execute(day, [shop]).fetchall() == [("2026-03-10",)]
        assert run("timezone", "--site", shop).output == "UTC\n"
        conn.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            store_events(conn, batch(received(shop)))
    assert conn.execute(day, [shop]).fetchall() == [("2026-03-11",)]


@pytest.mark.some(2)
@pytest.mark.parametrize("source", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("dropped", [True, False], ids=["dropped", "said to be dropped"])
def test_events_that_are_gone_stay_counted_once(empty_database: EmptyDatabase, source: str, dropped: bool) -> None:
    url = empty_database()
    migrate(url)
    kept_from = datetime(2026, 3, 9, tzinfo=UTC)  # a Monday, where a partition begins
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("insert into sites (site_id, timezone) values ('shop', %s)", [source])
        moments = [kept_from + timedelta(minutes=47 * number) for number in range(-90, 90)]
        store_events(
            conn,
            batch(
                *(
                    received(
                        "shop",
                        timestamp=moment.isoformat(),
                        user_id=f"{number % 9}",
                        event_type="purchase" if number % 4 == 0 else "page_view",
                        properties={"revenue": 1, "currency": "EUR", "products": [{"product_id": "lamp", "price": 1}]},
                    )
                    for number, moment in enumerate(moments)
                )
            ),
        )
        move_on(conn, "shop", datetime(2026, 4, 1, tzinfo=UTC))
        sums = """
            select
                (select sum(events) from path_days), (select sum(events) from event_hours),
                (select sum(events) from path_totals), (select sum(events) from event_totals),
                (select sum(events) from path_spans), (select sum(sessions) from session_days),
                (select sum(amount) from sale_days where outcome = 'counted'), (select sum(orders) from product_days)
        """
        before = conn.execute(sums).fetchone()
        conn.execute("update sites set events_from = %s", [kept_from])
        if dropped:
            for (name,) in conn.execute("select name from event_partitions where ends <= %s", [kept_from]).fetchall():
                conn.execute(f"drop table {name}".encode())
        for zone in (
            "Europe/Berlin",
            source,
            *JOURNEY,
            source,
            "America/New_York",
            "Asia/Tokyo",
            "UTC",
            "Europe/Berlin",
        ):
            set_timezone(conn, "shop", zone)
            assert conn.execute(sums).fetchone() == before
            assert run("verify", url=url).exit_code == 0
        assert conn.execute("select events_from from sites").fetchone() == (kept_from,)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_timezone_is_refused_where_it_is_kept(conn: Connection, shop: str, wrong: str) -> None:
    store_events(conn, batch(received(shop)))
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute("update sites set timezone = %s where site_id = %s", [wrong, shop])
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute("insert into sites (site_id, timezone) values ('wrong', %s)", [wrong])


def test_all_that_both_know_can_be_had(conn: Connection) -> None:
    names = {name for (name,) in conn.execute("select name from timezones")}
    assert {*ZONES, *JOURNEY, "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires"} <= names <= available_timezones()
    assert not {"localtime", "posixrules", "Factory"} & names
    for name in names:
        conn.execute("select now() at time zone %s", [name])


def test_each_migrate_knows_what_is_known_now(empty_database: EmptyDatabase) -> None:
    url = empty_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("delete from timezones where name = 'Europe/Berlin'")
        conn.execute("insert into timezones values ('Europe/Atlantis')")
        migrate(url)
        query = "select name from timezones where name in ('Europe/Berlin', 'Europe/Atlantis')"
        assert conn.execute(query).fetchall() == [("Europe/Berlin",)]
        conn.execute("insert into timezones values ('Europe/Atlantis')")
        conn.execute("insert into sites (site_id, timezone) values ('shop', 'Europe/Atlantis')")
        with pytest.raises(MigrationError, match="'Europe/Atlantis' of 'shop'"):
            migrate(url)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_database_with_a_wrong_one_is_told_what_to_do(unchecked: str, wrong: str) -> None:
    with psycopg.connect(unchecked, autocommit=True) as conn:
        values = [(f"shop {number}", wrong) for number in range(12)]
        conn.cursor().executemany("insert into sites (site_id, timezone) values (%s, %s)", values)
        done = run("migrate", url=unchecked)
        assert done.exit_code == 1
        assert f"{wrong!r} of 'shop 0', 'shop 1', 'shop 10'" in done.output
        assert "and others" in done.output
        assert conn.execute("select count(*) from timezones").fetchone() == (0,)
        assert conn.execute("select distinct timezone from sites").fetchall() == [(wrong,)]
        statement = done.output.partition("`")[2].partition("`")[0]
        assert conn.execute(statement.encode()).rowcount == 12
    assert run("migrate", url=unchecked).exit_code == 0


def test_what_differs_only_by_its_letters_is_spelled_right(unchecked: str) -> None:
    with psycopg.connect(unchecked, autocommit=True) as conn:
        conn.execute(
            "insert into sites (site_id, timezone) values ('a', 'europe/berlin'), ('b', 'utc'), ('c', 'Asia/Tokyo')"
        )
        migrate(unchecked)
        found = conn.execute("select timezone from sites order by site_id").fetchall()
        assert found == [("Europe/Berlin",), ("UTC",), ("Asia/Tokyo",)]
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            conn.execute("update sites set timezone = 'europe/berlin'")
