"""`tjra delete`: a site and all that it has."""

from datetime import UTC, datetime

import click

from apps.commands.shared.database import database
from apps.commands.shared.terminal import printable
from db.sites import deletion


@click.command("delete")
@click.option("--site", required=True, metavar="ID", help="The site.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_command(site: str, dry_run: bool, yes: bool) -> None:
    """Delete a site with all that it has: events, users, orders, rollups, dead letters. There is no way back.

    It tells what would go and asks for the site's name. All goes in one transaction, for which those who store events
    of the site wait. The counts of GET /accounting stay, by day: how many events were accepted and stored.
    """
    with database() as conn:
        try:
            tell(site, deletion.contents(conn, site))
            if dry_run:
                return
            if not yes and click.prompt("This cannot be undone. Type the site's name to delete it") != site:
                raise click.ClickException("that is not its name: nothing was deleted")
            rows = deletion.delete_site(conn, site)
        except deletion.NoSuchSite:
            raise click.BadParameter(f"there is no site {printable(site)!r}", param_hint="'--site'") from None
    click.echo(f"deleted {printable(site)}: {rows.get('events', 0):,} events, {sum(rows.values()):,} rows in all")
    click.echo("Events of it that are still in the queue, or come from now on, are stored and make the site anew.")


def tell(site: str, there: deletion.Contents) -> None:
    """Tell what there is of a site."""
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


def between(first: datetime | None, last: datetime | None) -> str:
    """From when to when; nothing where that is not known."""
    if first is None or last is None:
        return ""
    return f" from {first.astimezone(UTC):%Y-%m-%d %H:%M} to {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
