"""What a backup has to know of a database: its schema, its migrations, and which messages are settled in it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import class_row

from db.queries import FOLDER, FUNCTIONS, MIGRATIONS, QUERIES

#: What psql runs first of a restore.
BEGIN_RESTORE = (FOLDER / "restore.psql").read_text()
#: What migrations make, by name.
MADE = re.compile(r"^\s*create (?:table|view|type) (\w+)", re.M)
#: The parts of an address that others must not read: they travel in the environment.
SECRETS = {"password": "PGPASSWORD"}


class Facts(NamedTuple):
    """A database."""

    schema: str | None
    """Where its tables are, or would be."""
    migrated: bool
    """Whether there are any."""
    citus: bool


def facts(conn: Connection) -> Facts:
    """What kind of a database this is."""
    with conn.cursor(row_factory=class_row(Facts)) as cur:
        return cur.execute(QUERIES["backups/facts"]).fetchone() or Facts(None, migrated=False, citus=False)


def applied(conn: Connection) -> dict[str, str]:
    """The migrations that were applied, with their checksums."""
    return dict(conn.execute(QUERIES["backups/migrations"]).fetchall())


def ours() -> set[str]:
    """The names of all that `tjra migrate` makes."""
    made = (MADE.findall(path.read_text()) for path in MIGRATIONS)
    return {"migrations", *(path.stem for path in FUNCTIONS)}.union(*made)


def tables_of_others(conn: Connection) -> list[str]:
    """The tables and views in our schema that are not ours."""
    names = ours()
    return [name for (name,) in conn.execute(QUERIES["backups/tables"]) if name not in names]


def unsettled(conn: Connection, ids: Sequence[str]) -> int:
    """How many of these messages are not settled."""
    (count,) = conn.execute(QUERIES["backups/unsettled"], {"ids": list(ids)}).fetchone() or (0,)
    return int(count)


def analyze(conn: Connection) -> None:
    """Let PostgreSQL see what is in the tables, so that reports are fast at once."""
    conn.execute("analyze")


def address(database_url: str) -> tuple[str, Mapping[str, str]]:
    """An address as PostgreSQL's programs are given it, and the variables that they need beside it."""
    parts: dict[str, Any] = dict(conninfo_to_dict(database_url))
    secrets = {variable: str(parts.pop(name)) for name, variable in SECRETS.items() if name in parts}
    return make_conninfo(**parts), secrets
