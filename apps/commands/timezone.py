"""`tjra timezone`: in which timezone a site's days are."""

import click

from apps.commands.shared.database import database
from db.connections.errors import is_unavailable
from db.sites import timezones


@click.command("timezone")
@click.option("--site", "site_id", required=True, metavar="ID", help="The site.")
@click.argument("zone", required=False)
def timezone_command(site_id: str, zone: str | None) -> None:
    """Print a site's timezone, or set it to ZONE, an IANA name such as Europe/Berlin, and count its days anew.

    That is one transaction: reports have the old days until it is done, and the new ones from then on. Whoever stores
    events of the site waits meanwhile, a minute for some millions of them: ingestion takes them all the same. If it is
    killed, all is as before.

    Days whose events are no longer kept stay days of the old timezone.
    """
    with database() as conn:
        before = timezones.read_timezone(conn, site_id)
        if before is None:
            raise click.BadParameter(f"there is no site {site_id!r}", param_hint="'--site'")
        if zone is None:
            click.echo(before)
            return
        names = timezones.read_known(conn)
        if zone not in names:
            raise click.BadParameter(timezones.unknown(zone, names), param_hint="'ZONE'")
        try:
            before = timezones.set_timezone(conn, site_id, zone)
        except Exception as error:
            if not is_unavailable(error):
                raise
            raise click.ClickException(f"the timezone stays {before}: {error}") from None
        click.echo(f"{zone} (was {before})" if zone != before else zone)
