"""The database of a command: `with database() as conn`, at DATABASE_URL or where `tjra up` runs its own."""

import os
import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import click

from db.pools import connect
from db.settings import Settings, load

#: PostgreSQL's code of a lock that was waited for in vain.
LOCK_NOT_AVAILABLE = "55P03"


def addresses() -> Settings:
    """The settings, with the addresses of what `tjra up` runs in DATA_DIR for those that are not set."""
    settings = load()
    for name, value in _written_by_up(settings).items():
        if getattr(settings, name.lower(), "") is None:
            os.environ[name] = value
    return load()


def _written_by_up(settings: Settings) -> dict[str, str]:
    written = {}
    with suppress(OSError, ValueError):
        for line in (settings.data_dir / "env").read_text().splitlines():
            name, _, value = line.partition("=")
            written[name] = shlex.split(value)[0]
    return written


@contextmanager
def database() -> Iterator[Any]:
    """A connection to the database. What is the server's fault, cli.py tells in a line."""
    try:
        with closing(connect(addresses().required("database_url"))) as conn:
            yield conn
    except Exception as error:
        if getattr(error, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise click.ClickException(f"others are at these events just now, try again: {error}") from None
        raise
