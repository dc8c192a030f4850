"""Migrations: each applied once, in order, however many processes start at the same time."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from apps.cli import main
from db.migrations import LAST_CARRIED_OVER, MigrationError, _statements, left_to_do, migrate
from db.queries import FOLDER, FUNCTIONS, MIGRATIONS
from db.store.events import Message, store_messages
from tests.builders.factories import batch, received
from tests.oracles.before import migrate_as_before

EmptyDatabase = Callable[..., str]
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
#: What a schema is.
CATALOG = [
    """
    select c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage,
        a.attgenerated, n.collname, pg_get_expr(d.adbin, d.adrelid)
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_collation n on n.oid = a.attcollation
    where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped and not c.relispartition
        and c.relkind in ('r', 'p', 'v', 'c')
    order by 1, 3
    """,
    """
    select indexname, indexdef
    from pg_indexes
    join pg_class c on c.oid = tablename::regclass
    where schemaname = 'public' and not c.relispartition
    order by 1
    """,
    """
    select conrelid::regclass::text, conname, pg_get_constraintdef(k.oid)
    from pg_constraint k
    left join pg_class c on c.oid = conrelid
    where connamespace = 'public'::regnamespace and c.relispartition is not true
    order by 1, 2
    """,
    "select viewname, definition from pg_views where schemaname = 'public' order by 1",
    "select stxname, pg_get_statisticsobjdef(oid) from pg_statistic_ext order by 1",
    """
    select typname, typtype
    from pg_type t
    left join pg_class c on c.oid = t.typrelid
    where typnamespace = 'public'::regnamespace and c.relispartition is not true and typname !~ '^_'
    order by 1
    """,
    "select proname, proconfig, prosrc from pg_proc where pronamespace = 'public'::regnamespace order by 1",
]


def test_they_are_applied_once_in_order_by_many_at_once(empty_database: EmptyDatabase) -> None:
    url = empty_database()
    with ThreadPoolExecutor(8) as threads:
        applied = [names for names in threads.map(migrate, [url] * 8) if names]
    assert applied == [[*(path.stem for path in MIGRATIONS), "functions"]]
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
        ("update migrations set checksum = 'other' where name like '0001%'", "was changed: 0001_events"),
        (
            "insert into migrations (name, checksum) values ('9999_later', '')",
            "newer than .*: it has migration 9999_later",
        ),
        (
            "update migrations set name = '0003_other' where name like '0003%'",
            "another copy .* does not know: 0003_other; it lacks .*: 0003_spans",
        ),
        ("delete from migrations where name like '0003%'", "another copy .* it lacks .*: 0003_spans"),
        (
            "delete from migrations where name > '0003'; insert into migrations values ('0003_other', '')",
            "another copy .* does not know: 0003_other; it lacks",
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


def test_all_functions_are_applied_again_when_one_has_changed(empty_database: EmptyDatabase, tmp_path: Path) -> None:
    url = empty_database()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "create or replace function is_refund(event_type varchar) returns boolean language sql return true"
        )
        assert migrate(url) == []
        assert conn.execute("select is_refund('page_view')").fetchone() == (True,)
        changed = tmp_path / "midnight.sql"
        changed.write_text(next(path for path in FUNCTIONS if path.stem == "midnight").read_text() + "-- changed\n")
        functions = [changed if path.stem == "midnight" else path for path in FUNCTIONS]
        assert migrate(url, functions=functions) == ["functions"]
        assert conn.execute("select is_refund('page_view')").fetchone() == (False,)
    assert migrate(url, functions=functions) == []


def test_a_database_of_before_0_1_0_is_carried_over_with_its_events(empty_database: EmptyDatabase) -> None:
    old, new = empty_database(), empty_database()
    migrate_as_before(old)
    with psycopg.connect(old, autocommit=True) as conn:
        conn.execute("select make_partition(%s)", [NOON])
        event = received("shop", timestamp=NOON.isoformat(), user_id="ann", event_id=str(uuid4()), id_made=False)
        for number in range(2):
            stored = conn.execute("select * from store_events(%s::text::jsonb, now())", [batch(event).decode()])
            assert stored.fetchone() == (1, 1 - number)
    later = [path.stem for path in MIGRATIONS if path.stem > LAST_CARRIED_OVER]
    applied = migrate(old)
    assert applied == ["carry_over", *later, "functions"]
    (told,) = left_to_do(applied)
    assert "`tjra rebuild`" in told
    assert migrate(old) == left_to_do([]) == left_to_do(migrate(new)) == []
    with psycopg.connect(old, autocommit=True) as conn, psycopg.connect(new, autocommit=True) as other:
        for query in CATALOG:
            assert conn.execute(query).fetchall() == other.execute(query).fetchall()
        again = [Message(str(uuid4()), batch(event)), Message(str(uuid4()), batch(received("shop", user_id="bob")))]
        assert store_messages(conn, again).stored == 1
    tjra = CliRunner(env={"DATABASE_URL": old})
    assert tjra.invoke(main, ["verify"]).exit_code == 0


def test_an_older_one_is_told_apart(empty_database: EmptyDatabase) -> None:
    url = empty_database()
    migrate_as_before(url, last="0029_top_paths")
    with pytest.raises(MigrationError, match="another copy of this program"):
        migrate(url)


def test_functions_are_those_of_the_files_one_each(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        names = conn.execute("select proname from pg_proc where pronamespace = 'public'::regnamespace order by 1")
        assert [name for (name,) in names] == sorted(path.stem for path in FUNCTIONS)


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_a_file_defines_the_function_of_its_name(path: Path) -> None:
    text = re.sub(r"^--.*\n", "", path.read_text(), flags=re.M)
    assert re.findall(r"^create or replace (?:function|aggregate) (\w+)\(", text, re.M) == [path.stem]
    assert not re.search(r"^(alter|drop|do)\b", text, re.M)


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_each_of_its_statements_is_sent_alone(path: Path) -> None:
    """Citus runs no message with an `alter table` and something else. A comment may follow the semicolon."""
    for statement in _statements(path.read_bytes()):
        text = re.sub(r"\$\$.*?\$\$|'[^']*'", "", re.sub(r"--.*", "", statement.decode()), flags=re.DOTALL)
        assert text.count(";") <= 1, text


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_migrations_define_and_call_no_function(path: Path) -> None:
    # One whose signature changes, or that is not needed any more, is dropped by a migration.
    text = re.sub(r"--.*|\bdrop (function|aggregate) [^;]+;", "", path.read_text())
    assert not re.search(r"\bfunction\b|\baggregate\b|\bdo \$", text)
    names = "|".join(path.stem for path in FUNCTIONS)
    assert not re.search(rf"\b({names}) ?\(", text)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.sql")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_sql_can_be_read_in_a_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 150
