"""What a backup needs from a database: its schema, its migrations, and which messages are processed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import class_row

from db.queries import FOLDER, FUNCTIONS, MIGRATIONS, QUERIES

#: What psql runs first in a restore.
BEGIN_RESTORE = (FOLDER / "restore.psql").read_text()
#: What it runs last: which keys there are after it.
RESTORE_ACCESS = (FOLDER / "restore_access.psql").read_text()
#: Finds the names that migrations create.
MADE = re.compile(r"^\s*create (?:table|view|type) (\w+)", re.M)
#: The secret parts of an address: they are passed in the environment, where other users cannot read them.
SECRETS = {"password": "PGPASSWORD"}


class Facts(NamedTuple):
    """The kind of a database."""

    schema: str | None
    """The schema that its tables are in, or would be."""
    migrated: bool
    """Whether it has our tables."""
    citus: bool


def facts(conn: Connection) -> Facts:
    """The kind of this database."""
    with conn.cursor(row_factory=class_row(Facts)) as cur:
        return cur.execute(QUERIES["backups/facts"]).fetchone() or Facts(None, migrated=False, citus=False)


def applied(conn: Connection) -> dict[str, str]:
    """The migrations that were applied, with their checksums."""
    return dict(conn.execute(QUERIES["backups/migrations"]).fetchall())


def ours() -> set[str]:
    """The names of all objects that `tjra migrate` creates."""
    made = (MADE.findall(path.read_text()) for path in MIGRATIONS)
    return {"migrations", *(path.stem for path in FUNCTIONS)}.union(*made)


def tables_of_others(conn: Connection) -> list[str]:
    """The tables and views in our schema that are not ours."""
    names = ours()
    return [name for (name,) in conn.execute(QUERIES["backups/tables"]) if name not in names]


def unsettled(conn: Connection, ids: Sequence[str]) -> int:
    """How many of these messages are not processed."""
    (count,) = conn.execute(QUERIES["backups/unsettled"], {"ids": list(ids)}).fetchone() or (0,)
    return int(count)


def unfinished(conn: Connection, *, lock: int) -> str | None:
    """The mark of a restore that is committed and not finished; None if there is none. Waits for one that is running.

    lock: the lock of restores and migrations.
    """
    conn.execute(QUERIES["backups/wait_for_restore"], {"lock": lock})
    row: tuple[str | None] | None = conn.execute(QUERIES["backups/unfinished"]).fetchone()
    return row[0] if row else None


def finish(conn: Connection) -> None:
    """Remove the mark of a restore."""
    conn.execute(QUERIES["backups/finish"])


def analyze(conn: Connection) -> None:
    """Update the planner's statistics, so that reports are fast at once."""
    conn.execute("analyze")


def address(database_url: str) -> tuple[str, Mapping[str, str]]:
    """An address for the command line of PostgreSQL's programs, and the environment variables with its secrets."""
    parts: dict[str, Any] = dict(conninfo_to_dict(database_url))
    secrets = {variable: str(parts.pop(name)) for name, variable in SECRETS.items() if name in parts}
    return make_conninfo(**parts), secrets
