"""`tjra visitors`: ids that were sent as users' before there were visitors become visitors'."""

from datetime import UTC, datetime

import click

from apps.commands.shared.database import database
from apps.commands.shared.terminal import printable
from db.people import links

#: Ids that are printed.
SHOWN = 10


@click.command("visitors")
@click.option("--site", required=True, help="The site.")
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="When your pages began to send `visitor_id` (UTC).  [default: when this database learned of visitors]",
)
@click.option("--dry-run", is_flag=True, help="Only print which ids would become visitors'.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def visitors_command(site: str, before: datetime | None, dry_run: bool, yes: bool) -> None:
    """Take ids of browsers for visitors' that were sent as user_id in the past.

    Such an id counts as a known user's, so that the browser is never linked to the user who logs in with it. Nothing
    that is stored tells such an id from a user's: run this only if your pages sent ids of browsers as `user_id`. It
    takes the ids that came as `user_id` before a moment, never since, and that came as `visitor_id` too. They count for
    the user that they were first identified as, or will be.
    """
    with database() as conn:
        moment = before.replace(tzinfo=UTC) if before else links.visitors_existed_at(conn)
        found = links.sent_as_users(conn, site, before=moment)
        told = f"before {moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC, and not since"
        click.echo(f"{len(found):,} ids of visitors of {printable(site)} were sent as user_id {told}")
        for visitor, person in found[:SHOWN]:
            click.echo(f"  {printable(visitor)}" + (f", who is {printable(person)}" if person else ""))
        if len(found) > SHOWN:
            click.echo(f"  and {len(found) - SHOWN:,} more")
        if dry_run or not found:
            return
        if not yes:
            click.confirm("Were all of them browsers, and none a user? This cannot be undone.", abort=True)
        done = links.adopt_visitors(conn, site, found, before=moment, now=datetime.now(UTC))
    click.echo(f"{done.events:,} events are of {done.visitors:,} visitors now; {done.linked:,} of them are users")
