"""`tjra migrate`: migrate the database's schema."""

import click

from apps.commands.shared.first_key import first_key
from apps.commands.shared.options import settings_with
from db.migrations import left_to_do, migrate


@click.command("migrate")
def migrate_command() -> None:
    """Migrate the database at DATABASE_URL to this version's schema.

    The first time it prints the first key, an admin's, in a terminal only: output may go to a file or journal.
    """
    settings = settings_with({})
    database_url = settings.required("database_url")
    applied = migrate(database_url)
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("the database is up to date")
    for what in left_to_do(applied):
        click.echo(what)
    if told := first_key(database_url, settings):
        click.echo(told)
