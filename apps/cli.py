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
from apps.data_folder import FolderUnusable
from apps.dead_letter_commands import dead_letters
from apps.delete_command import delete_command
from apps.embedded.programs import NotInstalled
from apps.importing.command import import_command
from apps.retention_command import retention_command
from apps.supervisor import StartFailed, Stopped
from apps.timezone_command import timezone_command
from apps.up import PortTaken, up
from apps.upkeep import rebuild_command, verify_command
from db.failures import is_of_the_server
from db.logs import configure
from db.migrations import MigrationError, migrate
from db.settings import Settings, load

PORT = click.IntRange(0, 65535)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tjra-retail-analytics")
def main() -> None:
    """TJRA Retail Analytics: an analytics backend that counts every accepted event, once."""


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
    with _faults_in_a_line(), suppress(Stopped):
        up(settings, workers=workers, tell=click.echo)


@main.command("migrate")
def migrate_command() -> None:
    """Bring the database at DATABASE_URL to this version's schema."""
    with _faults_in_a_line():
        applied = migrate(_settings({}).required("database_url"))
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("the database is up to date")


main.add_command(import_command)
main.add_command(dead_letters)
main.add_command(verify_command)
main.add_command(rebuild_command)
main.add_command(retention_command)
main.add_command(delete_command)
main.add_command(timezone_command)
main.add_command(backup_command)
main.add_command(restore_command)
main.add_command(psql_command)


@contextmanager
def _faults_in_a_line() -> Iterator[None]:
    """What the person in front of it can mend is told in words, without a traceback."""
    try:
        yield
    except (FolderUnusable, MigrationError, NotInstalled, PortTaken, StartFailed) as error:
        raise click.ClickException(str(error)) from None
    except Exception as error:
        if is_of_the_server(error):
            raise click.ClickException(f"the database at DATABASE_URL cannot be used: {error}") from None
        raise


def _settings(options: dict[str, Any]) -> Settings:
    """The settings, with what the command's options say in their place; logging is set up by them."""
    settings = load()
    given = {name: value for name, value in options.items() if value is not None}
    settings = msgspec.structs.replace(settings, **given)
    configure(settings)
    return settings
