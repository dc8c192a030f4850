"""The database of a command: `with database() as conn`, at DATABASE_URL or that of a `tjra up` (see cli.py)."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import click

from db.connections.pools import connect
from db.settings import load

#: PostgreSQL's SQLSTATE for a lock timeout.
LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def database() -> Iterator[Any]:
    """A connection to the database. cli.py reports errors of the server in one line."""
    try:
        with closing(connect(load().required("database_url"))) as conn:
            yield conn
    except Exception as error:
        if getattr(error, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise click.ClickException(f"other processes are using these events, try again: {error}") from None
        raise
