"""Migrations: each applied once, in order, however many processes start at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from apps.cli import main
from db.migrations import MigrationError, migrate
from db.queries import MIGRATIONS

EmptyDatabase = Callable[..., str]


def test_they_are_applied_once_in_order_by_many_at_once(empty_database: EmptyDatabase) -> None:
    url = empty_database()
    with ThreadPoolExecutor(8) as threads:
        applied = [names for names in threads.map(migrate, [url] * 8) if names]
    assert applied == [[path.stem for path in MIGRATIONS]]
    with psycopg.connect(url) as conn:
        recorded = conn.execute("select name from migrations order by name").fetchall()
    assert [name for (name,) in recorded] == applied[0]


def test_their_names_are_numbered_without_gaps() -> None:
    assert [int(path.stem[:4]) for path in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_a_failure_leaves_nothing_behind(empty_database: EmptyDatabase) -> None:
    url = empty_database()
    with psycopg.connect(url) as conn:
        conn.execute("create table events ()")
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(url)
    with psycopg.connect(url) as conn:
        assert conn.execute("select to_regclass('sites'), to_regclass('migrations')").fetchone() == (None, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update migrations set checksum = 'other' where name like '0001%'", "was changed: 0001_tables"),
        (
            "insert into migrations (name, checksum) values ('9999_later', '')",
            "newer than .*: it has migration 9999_later",
        ),
        (
            "update migrations set name = '0012_other' where name like '0012%'",
            "another copy .* does not know: 0012_other; it lacks .*: 0012_funnels",
        ),
        ("delete from migrations where name like '0012%'", "another copy .* it lacks .*: 0012_funnels"),
        (
            "delete from migrations where name > '0012'; insert into migrations values ('0012_other', '')",
            "another copy .* does not know: 0012_other; it lacks",
        ),
    ],
    ids=["changed", "newer", "renamed", "left out", "an older copy"],
)
def test_a_database_that_is_not_of_this_program_is_refused_with_what_differs(
    empty_database: EmptyDatabase, change: str, reason: str
) -> None:
    url = empty_database()
    migrate(url)
    with psycopg.connect(url) as conn:
        conn.execute(change.encode())
    with pytest.raises(MigrationError, match=reason):
        migrate(url)


def test_a_database_that_cannot_hold_any_text_is_refused(empty_database: EmptyDatabase) -> None:
    with pytest.raises(MigrationError, match=r"must be UTF8.*it is LATIN1"):
        migrate(empty_database(encoding="LATIN1"))


@pytest.mark.parametrize("fault", ["away", "read-only"])
def test_the_command_says_in_a_line_why_it_cannot_use_the_database(
    empty_database: EmptyDatabase, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    url = "postgresql://ann:secret@127.0.0.1:1/shop"
    if fault == "read-only":
        url = make_conninfo(empty_database(), options="-c default_transaction_read_only=on", password="secret")
    monkeypatch.setenv("DATABASE_URL", url)
    done = CliRunner().invoke(main, ["migrate"])
    assert done.exit_code == 1
    reason = "connection failed" if fault == "away" else "cannot execute CREATE TABLE in a read-only transaction"
    assert done.output.startswith(f"Error: the database at DATABASE_URL cannot be used: {reason}")
    assert "secret" not in done.output
