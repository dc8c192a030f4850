"""The command line: `tjra`."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
import msgspec

from apps.backup.backup_command import backup_command
from apps.backup.psql_command import psql_command
from apps.backup.restore_command import restore_command
from apps.data_folder import FolderUnusable, environment_of_folder
from apps.dead_letter_commands import dead_letters
from apps.delete_command import delete_command
from apps.embedded.programs import CannotStart
from apps.importing.command import import_command
from apps.importing.undo import imports_command
from apps.retention_command import retention_command
from apps.supervisor import StartFailed, Stopped
from apps.timezone_command import timezone_command
from apps.up import PortTaken, up
from apps.upkeep import rebuild_command, verify_command
from db.failures import is_of_the_server, lacks_a_table, refused
from db.logs import configure
from db.migrations import MigrationError, migrate
from db.settings import Settings, load

PORT = click.IntRange(0, 65535)


@contextmanager
def _faults_in_a_line() -> Iterator[None]:
    """What the person in front of it can mend is told in words, without a traceback."""
    try:
        yield
    except (CannotStart, FolderUnusable, MigrationError, PortTaken, StartFailed) as error:
        raise click.ClickException(str(error)) from None
    except Exception as error:
        if reason := refused(error):
            raise click.ClickException(reason) from None
        if lacks_a_table(error):
            raise click.ClickException("the database lacks a table of ours: `tjra migrate` makes them") from None
        if is_of_the_server(error):
            told = " ".join(str(error).split())
            raise click.ClickException(f"the database at DATABASE_URL cannot be used: {told}") from None
        raise


class Commands(click.Group):
    """The commands, none of which ends in a traceback where a server is at fault."""

    def invoke(self, ctx: click.Context) -> Any:
        with _faults_in_a_line():
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tjra-retail-analytics")
@click.pass_context
def main(context: click.Context) -> None:
    """TJRA Retail Analytics: an analytics backend that counts every accepted event, once.

    Commands other than `up` use the PostgreSQL and Redis of a `tjra up` in the same folder, or with the same DATA_DIR,
    where DATABASE_URL and REDIS_URL are not set.
    """
    if context.invoked_subcommand != "up":  # which would take its own servers for given ones
        context.with_resource(environment_of_folder())


@main.command("up")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where data is kept.  [default: .tjra, or DATA_DIR]")
@click.option("--listen-host", help="Address to listen on; 0.0.0.0: all.  [default: 127.0.0.1, or LISTEN_HOST]")
@click.option("--ingestion-port", type=PORT, help="0: any free one.  [default: 3000, or INGESTION_PORT]")
@click.option("--reporting-port", type=PORT, help="0: any free one.  [default: 3001, or REPORTING_PORT]")
@click.option("--worker-port", type=PORT, help="Of the first worker.  [default: 3002, or WORKER_PORT]")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")
def up_command(workers: int, **options: Any) -> None:
    """Run everything: both apps, the workers, and PostgreSQL and Redis where DATABASE_URL or REDIS_URL is not set."""
    settings = _settings(options)
    with suppress(Stopped):
        up(settings, workers=workers, tell=click.echo)


@main.command("migrate")
def migrate_command() -> None:
    """Bring the database at DATABASE_URL to this version's schema."""
    applied = migrate(_settings({}).required("database_url"))
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("the database is up to date")


main.add_command(import_command)
main.add_command(imports_command)
main.add_command(dead_letters)
main.add_command(verify_command)
main.add_command(rebuild_command)
main.add_command(retention_command)
main.add_command(delete_command)
main.add_command(timezone_command)
main.add_command(backup_command)
main.add_command(restore_command)
main.add_command(psql_command)


def _settings(options: dict[str, Any]) -> Settings:
    """The settings, with what the command's options say in their place; logging is set up by them."""
    settings = load()
    given = {name: value for name, value in options.items() if value is not None}
    settings = msgspec.structs.replace(settings, **given)
    configure(settings)
    return settings
