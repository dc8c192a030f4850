"""The command line: `tjra`. Each command is a module of apps/commands."""

import os
import sys
from typing import Any

import click

from apps.commands.access.key import key_command
from apps.commands.access.privacy import privacy_command
from apps.commands.access.site import site_command
from apps.commands.access.visitors import visitors_command
from apps.commands.backup import backup_command
from apps.commands.dead_letters import dead_letters
from apps.commands.delete import delete_command
from apps.commands.import_files import import_command
from apps.commands.imports import imports_command
from apps.commands.migrate import migrate_command
from apps.commands.psql import psql_command
from apps.commands.rebuild import rebuild_command
from apps.commands.restore import restore_command
from apps.commands.retention import retention_command
from apps.commands.shared.errors import errors_in_a_line
from apps.commands.timezone import timezone_command
from apps.commands.up import up_command
from apps.commands.verify import verify_command
from apps.up.data_dir import environment_of_folder

#: The exit code of a program that the signal SIGPIPE ends.
PIPE_CLOSED = 141


class Commands(click.Group):
    """The group of all commands; an unavailable server is reported without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with errors_in_a_line():
                return super().invoke(ctx)
        except BrokenPipeError:
            end_quietly()
            raise click.exceptions.Exit(PIPE_CLOSED) from None


def end_quietly() -> None:
    """Whoever read our output wants no more, as `head` does: what is left of it, Python may write to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tjra-retail-analytics")
@click.pass_context
def main(context: click.Context) -> None:
    """TJRA Retail Analytics: an analytics backend that counts every accepted event, once.

    If DATABASE_URL and REDIS_URL are not set, commands other than `up` use the PostgreSQL and Redis of a `tjra up` in
    the same folder or with the same DATA_DIR.
    """
    if context.invoked_subcommand != "up":  # `up` would take its own servers for given ones
        context.with_resource(environment_of_folder())


for command in (
    up_command,
    migrate_command,
    key_command,
    site_command,
    privacy_command,
    import_command,
    imports_command,
    dead_letters,
    verify_command,
    rebuild_command,
    retention_command,
    visitors_command,
    delete_command,
    timezone_command,
    backup_command,
    restore_command,
    psql_command,
):
    main.add_command(command)
