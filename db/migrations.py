"""Applying the schema: `tjra migrate`.

sql/migrations has tables, types, indexes and views: numbered files, each applied once, in order. sql/functions has one
file per function: all are applied again whenever one has changed. Then citus.sql.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import psycopg

from db.connections.pools import connect, writing
from db.queries import CARRY_OVER, CITUS, FUNCTIONS, MIGRATIONS
from db.sites import timezones

logger = logging.getLogger(__name__)

#: The number of the advisory lock: "tjra" in ASCII.
LOCK = 0x746A7261

#: On Citus: one connection per node, not per shard, as a function must exist everywhere before it is used. On plain
#: PostgreSQL the setting has no effect.
ONE_BY_ONE = "set local citus.multi_shard_modify_mode = 'sequential'"
#: The row of the table migrations that has the checksum of all functions.
FUNCTIONS_ROW = "functions"
#: The migrations before version 0.1.0 that a database is carried over from: the last of them, and the checksum
#: of their names and checksums.
LAST_BEFORE = "0030_user_months"
CHECKSUM_BEFORE = "4a61ee37f90e6fecc5bed73b0ea2d262f0244e5074b9af4deb911ece6f2e43de"
#: The last migration that such a database has once it is carried over; all later ones are applied to it.
LAST_CARRIED_OVER = "0008_recounts"

#: What an older database lacks after a migration, and how it gets it.
LEFT_TO_DO = {
    "0015_visits": "visits of before have no carts, checkouts and orders yet: `tjra rebuild` counts them",
}

#: Drop the functions of these names, but those that something else in the database is built on.
DROP_FUNCTIONS = """
    do $$
    declare
        codes text;
    begin
        select string_agg(p.oid::regprocedure::text, ', ' order by p.oid::regprocedure::text collate "C") into codes
        from pg_proc p
        where p.pronamespace = current_schema()::regnamespace
            and p.proname = any (string_to_array(current_setting('tjra.functions'), ' '))
            and not exists (
                select 1
                from pg_depend d
                where d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid and d.classid <> 'pg_proc'::regclass
            );
        if codes is not null then
            execute 'drop routine ' || codes; -- at once: some are built on each other
        end if;
    end
    $$
"""


class MigrationError(Exception):
    """The database cannot be migrated to this program's schema; the message says why."""


def migrate(database_url: str, *, functions: Sequence[Path] = FUNCTIONS) -> list[str]:
    """Migrate the database to this program's schema, in one transaction; returns the names of what was applied.

    Several processes may call it at once: the first one does the work while the others wait. The lock belongs to the
    transaction, not the session, so that it works through a transaction pooler.
    """
    applied = []
    with connect(database_url) as conn, writing(conn):
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        conn.execute(ONE_BY_ONE)
        _check_server(conn)
        known = _known(conn)
        if known:
            _correct_timezones(conn)
        if _is_before(known):
            known = _carried_over(conn)
            applied.append("carry_over")
        for path in MIGRATIONS:
            if path.stem not in known:
                logger.info("applying migration %s", path.stem)
                _run(conn, path.read_bytes())
                _note(conn, path.stem, _checksum(path.read_bytes()))
                applied.append(path.stem)
        checksum = _checksum(b"".join(path.read_bytes() for path in functions))
        if known.get(FUNCTIONS_ROW) != checksum:
            # Otherwise functions would be checked on creation, before the functions that they call exist.
            conn.execute("set local check_function_bodies = off")
            # One with other parameters or another result would stay beside the new one, or be in its way.
            conn.execute("select set_config('tjra.functions', %s, true)", [" ".join(path.stem for path in functions)])
            conn.execute(DROP_FUNCTIONS)
            for path in functions:
                conn.execute(path.read_bytes())
            _note(conn, FUNCTIONS_ROW, checksum)
            applied.append(FUNCTIONS_ROW)
        timezones.refresh(conn)
        conn.execute(CITUS)
        timezones.refer(conn)
    return applied


def left_to_do(applied: Sequence[str]) -> list[str]:
    """What a database lacks that was from before these migrations, and how it gets it; nothing if it is new."""
    if MIGRATIONS[0].stem in applied:
        return []
    return [what for name, what in LEFT_TO_DO.items() if name in applied]


def _note(conn: psycopg.Connection, name: str, checksum: str) -> None:
    conn.execute(
        "insert into migrations (name, checksum) values (%s, %s)"
        " on conflict (name) do update set checksum = excluded.checksum, applied_at = now()",
        [name, checksum],
    )


def _is_before(known: Mapping[str, str]) -> bool:
    """Whether a database has the last schema before version 0.1.0."""
    before = sorted(f"{name} {checksum}" for name, checksum in known.items() if name <= LAST_BEFORE)
    return _checksum("\n".join(before).encode()) == CHECKSUM_BEFORE


def _carried_over(conn: psycopg.Connection) -> dict[str, str]:
    """Convert that schema to that of the first migrations; returns the migrations that the database has now."""
    logger.info("carrying over a database from before version 0.1.0")
    _run(conn, CARRY_OVER)
    conn.execute("delete from migrations")
    for path in MIGRATIONS:
        if path.stem <= LAST_CARRIED_OVER:
            _note(conn, path.stem, _checksum(path.read_bytes()))
    return _applied(conn)


def _run(conn: psycopg.Connection, text: bytes) -> None:
    for statement in _statements(text):
        conn.execute(statement)


def _correct_timezones(conn: psycopg.Connection) -> None:
    try:
        timezones.correct_spelling(conn)
    except timezones.WrongTimezones as error:
        raise MigrationError(str(error)) from None


def _statements(text: bytes) -> Iterator[bytes]:
    """Each statement of a migration: Citus would send its nodes all statements of a message with an `alter table`."""
    statement = b""
    for line in text.splitlines(keepends=True):
        statement += line
        if line.partition(b"--")[0].rstrip().endswith(b";") and statement.count(b"$$") % 2 == 0:
            yield statement
            statement = b""
    yield statement


def _check_server(conn: psycopg.Connection) -> None:
    if conn.info.server_version < 140000:
        raise MigrationError(f"PostgreSQL 14 or newer is needed; this server is {conn.info.server_version // 10000}")
    if (encoding := conn.info.parameter_status("server_encoding")) != "UTF8":
        raise MigrationError(f"the database's encoding must be UTF8, so that it can hold any text; it is {encoding}")


def _known(conn: psycopg.Connection) -> dict[str, str]:
    """The names and checksums of the migrations that were applied."""
    conn.execute(
        "create table if not exists migrations"
        " (name text primary key, checksum text not null, applied_at timestamptz not null default now())"
    )
    known = _applied(conn)
    if reason := unfit(known):
        raise MigrationError(reason)
    return known


def _applied(conn: psycopg.Connection) -> dict[str, str]:
    return dict(conn.execute("select name, checksum from migrations").fetchall())


def unfit(known: Mapping[str, str]) -> str | None:
    """Why a database with these migrations (checksums by name) does not fit this program; None if it does.

    Either it is newer: it has all of this program's migrations and more. Or it was made by another copy of the program:
    each of the two has migrations that the other lacks, or some that differ. Functions are not compared, as they are
    applied again.
    """
    if _is_before(known):
        return None
    known = {name: checksum for name, checksum in known.items() if name != FUNCTIONS_ROW}
    ours = {path.stem: _checksum(path.read_bytes()) for path in MIGRATIONS}
    unknown = sorted(known.keys() - ours.keys())
    missing = sorted(name for name in ours.keys() - known.keys() if unknown or name < max(known, default=""))
    changed = sorted(name for name in known.keys() & ours.keys() if known[name] != ours[name])
    if not (unknown or missing or changed):
        return None
    if unknown and not missing and not changed and min(unknown) > max(ours):
        return (
            f"the database is newer than this program: it has migration {unknown[-1]}, "
            f"and this program only those up to {max(ours)}"
        )
    if not (unknown or missing):
        were = "migrations were" if len(changed) > 1 else "migration was"
        return f"since they were applied to this database, {were} changed: {_some(changed)}"
    reasons = {
        "it has some that this program does not know": unknown,
        "it lacks some that come before others of its own": missing,
        "these were changed after they were applied": changed,
    }
    details = "; ".join(f"{what}: {_some(names)}" for what, names in reasons.items() if names)
    return (
        f"the database was made by another copy of this program, whose migrations differ: {details}. "
        "Use that copy, or another database"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _checksum(text: bytes) -> str:
    return sha256(text).hexdigest()
