"""Terminal output: progress in place, escaped names, and failures of single sites."""

import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import GetPassWarning

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

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


def is_terminal() -> bool:
    """Whether standard output is seen by somebody at a terminal, and goes to no file, journal or other program."""
    return sys.stdout.isatty()


#: Characters of a line where nothing says how many there may be: in a file, or for another program.
ANY_WIDTH = 100_000


def print_table(names: Sequence[str], rows: Iterable[Sequence[str]], *, whole: Sequence[str] = ()) -> None:
    """Print a table with all that is in it: cells are folded where a terminal is too narrow, and never cut.

    whole: the columns that are not folded either. Cells are texts of anybody: printable, and no markup.
    """
    rows = list(rows)
    widths = {
        name: max((len(row[place]) for row in rows), default=0) for place, name in enumerate(names) if name in whole
    }
    table = Table(*(Column(name, overflow="fold", no_wrap=name in whole, min_width=widths.get(name)) for name in names))
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console()
    (console if console.is_terminal else Console(width=ANY_WIDTH)).print(table)


def ask_password() -> str:
    """Ask for a new password, twice. Raises ClickException where there is no terminal that hides it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        except GetPassWarning:
            raise click.ClickException("a password is asked for in a terminal, and there is none") from None
    return given


def show(text: str) -> None:
    """Show the progress in place of the previous text, if stderr is a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)


def printable(text: str) -> str:
    """Escape control characters, which could control the terminal: the text comes from events, so it is untrusted."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def between(first: datetime | None, last: datetime | None) -> str:
    """The range of times as text; empty if it is unknown."""
    if first is None or last is None:
        return ""
    return f" from {first.astimezone(UTC):%Y-%m-%d %H:%M} to {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
