"""One site with which something is wrong, whatever it is, stops the work on no other."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args

import psycopg
import pytest
from click.testing import CliRunner

from actors import maintenance
from actors.metrics import MAINTENANCE_FAILURES
from apps.cli import main
from db.connections.errors import is_site_error
from db.connections.pools import read_pool
from db.migrations import migrate
from db.reports.sites import SitePage, sites
from db.rollups.advance import Rollup
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.db.schema.test_migrations import EmptyDatabase
from tests.oracles.recount import differences

MARKS = {
    "sessions": "sessions_until",
    "path_spans": "path_spans_until",
    "user_spans": "user_spans_until",
    "user_months": "user_months_until",
    "top_paths": "top_paths_until",
}


def unknown_timezone(conn: Connection) -> None:
    """As before timezones were checked, or after a system's list of them has lost one."""
    conn.execute("alter table sites drop constraint sites_timezone_known")
    conn.execute("update sites set timezone = 'Europe/Berln' where site_id = 'b bad'")


def raises_when_written(conn: Connection) -> None:
    """As a row that cannot be read, or an index that is damaged."""
    conn.execute(
        """
        create function raise_for_one() returns trigger language plpgsql as $$
        begin
            if new.site_id = 'b bad' then
                raise data_corrupted using message = 'invalid page in block 7';
            end if;
            return new;
        end
        $$
        """
    )
    for table in ("sessions", "path_spans", "user_spans", "user_months", "top_paths", "path_days"):
        trigger = (
            f"create trigger broken before insert or update on {table} for each row execute function raise_for_one()"
        )
        conn.execute(trigger.encode())


def too_slow(conn: Connection) -> None:
    """As a wait that takes longer than the database allows."""
    raises_when_written(conn)
    conn.execute(
        """
        create or replace function raise_for_one() returns trigger language plpgsql as $$
        begin
            if new.site_id = 'b bad' then
                raise query_canceled using message = 'canceling statement due to statement timeout';
            end if;
            return new;
        end
        $$
        """
    )


FAULTS = {unknown_timezone: "Europe/Berln", raises_when_written: "invalid page in block 7", too_slow: "timeout"}


@pytest.fixture(params=FAULTS, ids=lambda fault: fault.__name__)
def broken(request: pytest.FixtureRequest, empty_database: EmptyDatabase) -> tuple[str, Callable[..., None]]:
    """A database with a site that is broken between two that are not, and the fault of it."""
    url = empty_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        moments = [datetime(2026, month, 3, 12, tzinfo=UTC).isoformat() for month in (1, 2, 3)]
        for site in ("a good", "b bad", "c good"):
            store_events(conn, batch(*(received(site, user_id="ann", timestamp=moment) for moment in moments)))
        request.param(conn)
    return url, request.param


@pytest.mark.parametrize("rollup", get_args(Rollup))
def test_upkeep_moves_the_others_on_and_names_it(
    broken: tuple[str, Callable[..., None]], rollup: Rollup, caplog: pytest.LogCaptureFixture
) -> None:
    url, fault = broken
    told = FAULTS[fault]
    in_it = fault != unknown_timezone or rollup in ("path_spans", "user_spans", "top_paths")
    before = MAINTENANCE_FAILURES.labels(rollup)._value.get()
    with psycopg.connect(url, autocommit=True) as conn:
        maintenance._advance(rollup, conn)
        query = f"select site_id, isfinite({MARKS[rollup]}) from sites"
        marks: dict[str, bool] = dict(conn.execute(query.encode()).fetchall())
    assert (marks["a good"], marks["c good"]) == (True, True)
    records = [record for record in caplog.records if record.name == "actors.maintenance"]
    if in_it:
        (record,) = records
        assert record.levelname == "ERROR"
        assert record.getMessage().startswith(f"{rollup} of site 'b bad' cannot be advanced: ")
        assert told in record.getMessage()
        assert MAINTENANCE_FAILURES.labels(rollup)._value.get() == before + 1


def test_many_of_them_are_logged_by_number(empty_database: EmptyDatabase, caplog: pytest.LogCaptureFixture) -> None:
    url = empty_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("alter table sites drop constraint sites_timezone_known")
        conn.execute(
            "insert into sites (site_id, timezone) select 'bad ' || n, 'Europe/Berln' from generate_series(1, 25) n"
        )
        maintenance._advance("top_paths", conn)
    messages = [record.getMessage() for record in caplog.records if record.name == "actors.maintenance"]
    assert len(messages) == maintenance.MAX_LOGGED_FAILURES + 1
    assert messages[-1] == "top_paths of 15 more sites cannot be advanced"


def run(url: str, *arguments: str) -> Any:
    return CliRunner(env={"DATABASE_URL": url}).invoke(main, arguments)


def test_verify_and_rebuild_tell_it_in_a_line_and_go_on(broken: tuple[str, Callable[..., None]]) -> None:
    url, fault = broken
    told = FAULTS[fault]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("alter table path_days disable trigger user")
        conn.execute("update path_days set events = 7 where day = '2026-02-03'")
        conn.execute("alter table path_days enable trigger user")
        verified, rebuilt = run(url, "verify"), run(url, "rebuild", "--all-sites")
        assert (verified.exit_code, rebuilt.exit_code) == (1, 1)
        assert "c good" in verified.stdout
        if fault == unknown_timezone:
            (line,) = [line for line in verified.stderr.splitlines() if "b bad" in line]
            assert line.startswith("b bad: cannot be checked: ")
            assert told in line
        assert rebuilt.stdout == "a good: 1 rows corrected\nc good: 1 rows corrected\n"
        (line,) = [line for line in rebuilt.stderr.splitlines() if "b bad" in line]
        assert line.startswith("b bad: cannot be rebuilt: ")
        assert told in line
        assert differences(conn, "a good", "c good") == {} if fault != unknown_timezone else True
    for done in (verified, rebuilt):
        assert done.exception is None or isinstance(done.exception, SystemExit)


def test_the_sites_are_listed_with_it(broken: tuple[str, Callable[..., None]]) -> None:
    url, _ = broken

    async def ask() -> SitePage:
        pool = read_pool(url, connections=1)
        async with pool, pool.connection() as conn:
            return await sites(conn, search="", limit=10)

    assert [(site.site_id, site.events) for site in asyncio.run(ask()).sites] == [
        ("a good", 3),
        ("b bad", 3),
        ("c good", 3),
    ]


@pytest.mark.parametrize(
    ("error", "of_a_site"),
    [
        (psycopg.errors.DataCorrupted(), True),
        (psycopg.errors.InvalidParameterValue(), True),
        (psycopg.errors.NumericValueOutOfRange(), True),
        (psycopg.errors.SerializationFailure(), True),
        (psycopg.errors.LockNotAvailable(), True),
        (psycopg.errors.QueryCanceled(), True),
        (psycopg.errors.AdminShutdown(), False),
        (psycopg.errors.DiskFull(), False),
        (psycopg.errors.ReadOnlySqlTransaction(), False),
        (psycopg.errors.UndefinedFunction(), False),
        (psycopg.OperationalError(), False),
        (ValueError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_of_the_server_stops_the_pass(error: Exception, of_a_site: bool) -> None:
    assert is_site_error(error) == of_a_site
