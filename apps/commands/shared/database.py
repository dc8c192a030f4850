"""The database of a command: `with database() as conn`, at DATABASE_URL (cli.py: or where `tjra up` runs its own)."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import click

from db.connections.pools import connect
from db.settings import load

#: PostgreSQL's code of a lock that was waited for in vain.
LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def database() -> Iterator[Any]:
    """A connection to the database. What is the server's fault, cli.py tells in a line."""
    try:
        with closing(connect(load().required("database_url"))) as conn:
            yield conn
    except Exception as error:
        if getattr(error, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise click.ClickException(f"others are at these events just now, try again: {error}") from None
        raise
