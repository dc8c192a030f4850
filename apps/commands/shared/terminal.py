"""Terminal output: progress in place, escaped names, and failures of single sites."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from db.connections.errors import is_site_error
from db.rollups.recount import EventsLost


@contextmanager
def failure_in_a_line(site: str, what: str, failed: list[str]) -> Iterator[None]:
    """Report in one line why a site failed, and continue, so that the other sites are processed."""
    try:
        yield
    except Exception as error:
        if not (isinstance(error, EventsLost) or is_site_error(error)):
            raise
        failed.append(site)
        show("")
        click.echo(f"{printable(site)}: cannot {what}: {printable(str(error).partition(chr(10))[0])}", err=True)


def show(text: str) -> None:
    """Show the progress in place of the previous text, if stderr is a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)


def printable(text: str) -> str:
    """Escape control characters, which could control the terminal: the text comes from events, so it is untrusted."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
