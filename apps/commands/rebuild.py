"""`tjra rebuild`: rebuild the rollups from the events."""

from datetime import date

import click

from apps.commands.shared.database import database
from apps.commands.shared.rollup_days import clip, days, from_option, months, to_option
from apps.commands.shared.terminal import failure_in_a_line, printable, show
from db.connections.pools import WriteConnection
from db.rollups import recount


@click.command("rebuild")
@click.option("--site", "sites", multiple=True, metavar="ID", help="A site; may be repeated.")
@click.option("--all-sites", is_flag=True, help="Every site.")
@from_option
@to_option
def rebuild_command(sites: tuple[str, ...], all_sites: bool, from_day: date | None, to_day: date | None) -> None:
    """Rebuild the rollups from the events, and print how many rows were wrong.

    It may run while events are stored, be killed, and be run again: each day is its own transaction, and so are the
    sums of each month; workers that write to the site wait for it. Run it after changing a site's timezone by hand;
    `tjra timezone` needs no rebuild.

    Users keep their numbers, except users without events, users that share a number, and users with the last numbers
    while lower ones are unused. Those of them that have events get another number. With --from or --to all users keep
    their numbers.

    Days whose events have expired (they begin before sites.events_from) stay as they are. If the rollups count events
    whose partition is missing for another reason, nothing is subtracted: the site ends with an error.
    """
    if bool(sites) == all_sites:
        raise click.UsageError("give either --site ID or --all-sites")
    with database() as conn:
        failed: list[str] = []
        for site in sites or recount.site_ids(conn):
            with failure_in_a_line(site, "be rebuilt", failed):
                corrected = rebuild(conn, site, from_day=from_day, to_day=to_day)
                show("")
                click.echo(f"{printable(site)}: {corrected:,} rows corrected")
    raise click.exceptions.Exit(1 if failed else 0)


def rebuild(conn: WriteConnection, site: str, *, from_day: date | None, to_day: date | None) -> int:
    """Rebuild all rollups of a site from its events; return the number of wrong rows."""
    first, last = clip(site, recount.span(conn, site, from_day=from_day, to_day=to_day))
    show(f"{printable(site)} users and orders")
    corrected = recount.rebuild_users(conn, site, renumber=from_day is None and to_day is None)
    corrected += recount.rebuild_orders(conn, site)
    for begin, end in months(first, last):
        show(f"{printable(site)} {begin}")
        # Most months are right, and checking a month is faster than rebuilding each of its days.
        if not any(found.total for found in recount.compare_days(conn, site, first_day=begin, last_day=end, most=1)):
            continue
        for each in days(begin, end):
            show(f"{printable(site)} {each}")
            corrected += recount.rebuild_days(conn, site, first_day=each, last_day=each)
        corrected += recount.rebuild_deferred(conn, site, first_day=begin, last_day=end)
    return corrected + recount.rebuild_totals(conn, site)
