"""Migrations: the numbered files in sql/migrations, each applied once, in order; then citus.sql. `tjra migrate`."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

import psycopg

from db.connections.pools import connect, writing
from db.queries import CITUS, MIGRATIONS
from db.sites import timezones

logger = logging.getLogger(__name__)

#: Any number will do that nobody else locks: this one is "tjra" in ASCII.
LOCK = 0x746A7261

#: On Citus: one connection to each node, not one to each shard, as a function must be everywhere before what needs it.
#: On plain PostgreSQL it is a setting of nobody's.
ONE_BY_ONE = "set local citus.multi_shard_modify_mode = 'sequential'"


class MigrationError(Exception):
    """The database cannot be brought to this program's schema; the message says why."""


def migrate(database_url: str) -> list[str]:
    """Apply the migrations that the database does not have yet, all in one transaction; answers their names.

    Several processes may do it at once: the first does the work while the others wait. The lock is the transaction's,
    not the session's, so that it works through a transaction pooler.
    """
    applied = []
    with connect(database_url) as conn, writing(conn):
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        conn.execute(ONE_BY_ONE)
        _check_server(conn)
        known = _known(conn)
        if known:
            _correct_timezones(conn)
        for path in MIGRATIONS:
            if path.stem not in known:
                text = path.read_bytes()
                logger.info("applying migration %s", path.stem)
                for statement in _statements(text):
                    conn.execute(statement)
                conn.execute("insert into migrations (name, checksum) values (%s, %s)", [path.stem, _checksum(text)])
                applied.append(path.stem)
        timezones.refresh(conn)
        conn.execute(CITUS)
        timezones.refer(conn)
    return applied


def _correct_timezones(conn: psycopg.Connection) -> None:
    try:
        timezones.correct_spelling(conn)
    except timezones.WrongTimezones as error:
        raise MigrationError(str(error)) from None


def _statements(text: bytes) -> Iterator[bytes]:
    """Each statement of a migration: Citus sends its nodes all that came in one message with an `alter table`."""
    statement = b""
    for line in text.splitlines(keepends=True):
        statement += line
        if line.rstrip().endswith(b";") and statement.count(b"$$") % 2 == 0:
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
    known: dict[str, str] = dict(conn.execute("select name, checksum from migrations").fetchall())
    if reason := unfit(known):
        raise MigrationError(reason)
    return known


def unfit(known: Mapping[str, str]) -> str | None:
    """Why a database that has these migrations (checksums by name) is none of this program's; None where it is.

    Either it is newer: it has all that this program has, and then some. Or it was made by another copy of the program:
    what the two have in common is not all that one of them has, or not the same.
    """
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
    found = {
        "it has some that this program does not know": unknown,
        "it lacks some that come before others of its own": missing,
        "these were changed after they were applied": changed,
    }
    told = "; ".join(f"{what}: {_some(names)}" for what, names in found.items() if names)
    return (
        f"the database was made by another copy of this program, whose migrations are not these: {told}. "
        "Use that copy, or another database"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _checksum(text: bytes) -> str:
    return sha256(text).hexdigest()
