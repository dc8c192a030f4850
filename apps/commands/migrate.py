"""`tjra migrate`: migrate the database's schema."""

import click

from apps.commands.shared.options import settings_with
from db.migrations import migrate


@click.command("migrate")
def migrate_command() -> None:
    """Migrate the database at DATABASE_URL to this version's schema."""
    applied = migrate(settings_with({}).required("database_url"))
    for name in applied:
        click.echo(f"applied {name}")
    click.echo("the database is up to date")
