"""Texts in a terminal: progress in place, names made harmless, and failures of single sites."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from db.connections.errors import is_site_error
from db.rollups.recount import EventsLost


@contextmanager
def told_in_a_line(site: str, what: str, failed: list[str]) -> Iterator[None]:
    """Tell in a line why something cannot be done with a site, and go on: others must not lack it for that."""
    try:
        yield
    except Exception as error:
        if not (isinstance(error, EventsLost) or is_site_error(error)):
            raise
        failed.append(site)
        show("")
        click.echo(f"{printable(site)}: cannot {what}: {printable(str(error).partition(chr(10))[0])}", err=True)


def show(text: str) -> None:
    """Show what is being done, in place of what was shown before, if stderr is a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)


def printable(text: str) -> str:
    """The text without what would move a terminal's cursor: anybody may have sent it."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
