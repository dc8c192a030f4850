"""`tjra timezone`: print or set the timezone of a site's days."""

import click

from apps.commands.shared.database import database
from db.access import audit
from db.connections.errors import is_unavailable
from db.sites import timezones


@click.command("timezone")
@click.option("--site", "site_id", required=True, metavar="ID", help="The site.")
@click.argument("zone", required=False)
def timezone_command(site_id: str, zone: str | None) -> None:
    """Print a site's timezone, or set it to ZONE, an IANA name such as Europe/Berlin, and rebuild its days.

    This is one transaction: reports show the old days until it is done. Workers that store events of the site wait for
    it, about a minute for some million events; ingestion still accepts events. If it is killed, nothing has changed.

    Days whose events have expired stay days of the old timezone.
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
        if zone != before:
            audit.note_on(
                conn, audit.COMMAND_LINE, "site.timezone", {"site": site_id, "timezone": zone, "before": before}
            )
        click.echo(f"{zone} (was {before})" if zone != before else zone)
