"""`tjra delete`: delete a site with all of its data."""

import click

from apps.commands.shared.database import database
from apps.commands.shared.terminal import between, printable
from db.access import audit
from db.sites import deletion


@click.command("delete")
@click.option("--site", required=True, metavar="ID", help="The site.")
@click.option("--dry-run", is_flag=True, help="Only print what would be deleted.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def delete_command(site: str, dry_run: bool, yes: bool) -> None:
    """Delete a site with all of its data: events, users, orders, rollups, dead letters. This cannot be undone.

    It prints what will be deleted and asks for the site's name. It runs in one transaction; workers that store events
    of the site wait for it. The daily counts of GET /accounting stay: how many events were accepted and stored.
    """
    with database() as conn:
        try:
            print_contents(site, deletion.contents(conn, site))
            if dry_run:
                return
            if not yes and click.prompt("This cannot be undone. Type the site's name to delete it") != site:
                raise click.ClickException("that is not its name: nothing was deleted")
            rows = deletion.delete_site(conn, site, by=audit.COMMAND_LINE)
        except deletion.NoSuchSite:
            raise click.BadParameter(f"there is no site {printable(site)!r}", param_hint="'--site'") from None
    click.echo(f"deleted {printable(site)}: {rows.get('events', 0):,} events, {sum(rows.values()):,} rows in all")
    click.echo("Events of the site that are still in the queue or arrive later are stored and create the site again.")


def print_contents(site: str, there: deletion.Contents) -> None:
    """Print what a site contains."""
    lines = [
        f"{there.events:,} events{between(there.first_event, there.last_event)}",
        f"{there.users:,} users",
        f"{there.orders:,} orders with an id",
        f"{there.days:,} days of rollups, with {there.counted:,} events",
        f"{there.dead_letters:,} dead letters",
    ]
    click.echo(f"{printable(site)} has")
    for line in lines:
        click.echo(f"  {line}")
