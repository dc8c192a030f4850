"""Errors of commands: one line for errors that the user can fix, a traceback only for bugs."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from apps.up.data_dir import FolderUnusable
from apps.up.embedded.binaries import CannotStart
from apps.up.processes.supervisor import StartFailed
from apps.up.stack import PortTaken
from db.connections.errors import is_unavailable, lacks_a_table, refused
from db.migrations import MigrationError


@contextmanager
def errors_in_a_line() -> Iterator[None]:
    """Report errors that the user can fix in one line, without a traceback."""
    try:
        yield
    except (CannotStart, FolderUnusable, MigrationError, PortTaken, StartFailed) as error:
        raise click.ClickException(str(error)) from None
    except Exception as error:
        if reason := refused(error):
            raise click.ClickException(reason) from None
        if lacks_a_table(error):
            raise click.ClickException("the database lacks tables of tjra: `tjra migrate` creates them") from None
        if is_unavailable(error):
            reason = " ".join(str(error).split())
            raise click.ClickException(f"the database at DATABASE_URL cannot be used: {reason}") from None
        raise
