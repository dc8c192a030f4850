"""`tjra psql`: PostgreSQL's shell on the database."""

import os
import signal

import click

from apps.backup.programs import connection, programs
from apps.commands.shared.database import database
from db.settings import load


@click.command("psql", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql_command(arguments: tuple[str, ...]) -> None:
    """Run psql on the database, with these ARGUMENTS: `tjra psql -c 'select count(*) from events'`."""
    database_url = load().required("database_url")
    with database() as conn:
        folder = programs(server=conn.info.server_version // 10000, needed=("psql",))
    conninfo, environment = connection(database_url)
    program = folder / "psql"
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and psql would inherit that
    os.execve(program, [str(program), f"--dbname={conninfo}", *arguments], environment)  # noqa: S606
