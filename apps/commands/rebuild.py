"""`tjra rebuild`: make the rollups what the events say."""

from datetime import date

import click

from apps.commands.shared.database import database
from apps.commands.shared.rollup_days import clip, days, from_option, months, to_option
from apps.commands.shared.terminal import printable, show, told_in_a_line
from db.connections.pools import WriteConnection
from db.rollups import recount


@click.command("rebuild")
@click.option("--site", "sites", multiple=True, metavar="ID", help="A site; may be repeated.")
@click.option("--all-sites", is_flag=True, help="Every site.")
@from_option
@to_option
def rebuild_command(sites: tuple[str, ...], all_sites: bool, from_day: date | None, to_day: date | None) -> None:
    """Make the rollups what the events say, and tell how many rows were not right.

    It may run while events are stored, be killed, and be run again: each day is a transaction of its own, for which
    those who write to the site wait, and so are the sums of each month. Run it after a change of a site's timezone by
    hand; `tjra timezone` needs no rebuild.

    Users keep their numbers, with three exceptions, and with --from or --to without any: those who have no events, who
    share a number, or who have the last ones while others are nobody's. Whoever has events gets another.

    Days whose events are no longer kept (they begin before sites.events_from) are left as they are. Where events are
    in the rollups but their partition is gone otherwise, nothing is taken off: it ends with a line that says so.
    """
    if bool(sites) == all_sites:
        raise click.UsageError("say which: --site ID or --all-sites")
    with database() as conn:
        failed: list[str] = []
        for site in sites or recount.site_ids(conn):
            with told_in_a_line(site, "be rebuilt", failed):
                corrected = rebuild(conn, site, from_day=from_day, to_day=to_day)
                show("")
                click.echo(f"{printable(site)}: {corrected:,} rows corrected")
    raise click.exceptions.Exit(1 if failed else 0)


def rebuild(conn: WriteConnection, site: str, *, from_day: date | None, to_day: date | None) -> int:
    """Make all of a site's rollups what its events say; answers how many rows were not right."""
    first, last = clip(site, recount.span(conn, site, from_day=from_day, to_day=to_day))
    show(f"{printable(site)} users and orders")
    corrected = recount.rebuild_users(conn, site, renumber=from_day is None and to_day is None)
    corrected += recount.rebuild_orders(conn, site)
    for begin, end in months(first, last):
        show(f"{printable(site)} {begin}")
        # Most months are right, and to see that takes less than to count each of their days anew.
        if not any(found.total for found in recount.compare_days(conn, site, first_day=begin, last_day=end, most=1)):
            continue
        for each in days(begin, end):
            show(f"{printable(site)} {each}")
            corrected += recount.rebuild_days(conn, site, first_day=each, last_day=each)
        corrected += recount.rebuild_deferred(conn, site, first_day=begin, last_day=end)
    return corrected + recount.rebuild_totals(conn, site)
