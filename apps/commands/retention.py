"""`tjra retention`: drop and delete expired events by hand, or print what would go."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import click

from apps.commands.shared.database import database
from apps.commands.shared.terminal import between, failure_in_a_line, printable
from db import expiry
from db.people import links
from db.settings import load
from db.sites import retention
from db.sites.retention import SiteRetention

NOT_SET = "RETENTION_DAYS is not set: events never expire (use --days N for another number of days)"


@click.command("retention")
@click.option(
    "--days", type=click.IntRange(1, 36_500), help="Days after which events expire.  [default: RETENTION_DAYS]"
)
@click.option("--dry-run", is_flag=True, help="Only print what would be dropped.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def retention_command(days: int | None, dry_run: bool, yes: bool) -> None:
    """Drop expired events, as workers do every ten minutes.

    Events are dropped by whole partitions (weeks). The events of a partition are first announced as expired, and
    dropped five minutes later: by the workers if RETENTION_DAYS is set, or when this command runs again. The numbers of
    rollups stay. More days than before revoke the announcement for events that are not dropped yet.

    Of sites with a shorter retention of their own (`tjra site set SITE --retention-days N`) the events are deleted one
    by one, announced and five minutes later too.
    """
    days = days or load().retention_days
    with database() as conn:
        sites = retention.sites_with_retention(conn)
        if days is None:
            if not sites and not dry_run:
                raise click.UsageError(NOT_SET)
            click.echo(NOT_SET)
            print_announced(conn)
        old = [] if days is None else expiry.plan(conn, days=days)
        of_sites = retention.site_plan(conn, days=days)
        if days is not None:
            print_plan(conn, days, old)
        print_sites(of_sites)
        if dry_run or (days is None and not sites):
            return
        if (old or any(one.events for one in of_sites)) and not yes:
            click.confirm("Dropped events cannot be restored. Continue?", abort=True)
        if days is not None:
            drop(conn, days)
        delete_of(conn, sites, days)
        for site in links.sites_with_links(conn):
            if deleted := links.forget_links(conn, site).deleted:
                click.echo(f"deleted {deleted:,} links of visitors of {printable(site)}: no event of theirs is kept")


def drop(conn: Any, days: int) -> None:
    """Drop what may be dropped, and announce what may be later."""
    dropped = expiry.drop_old_events(conn, days=days)
    waiting = [one for one in expiry.plan(conn, days=days) if not one.blocked]
    for name in dropped:
        click.echo(f"dropped {name}")
    if waiting:
        click.echo(f"{len(waiting):,} more can be dropped in five minutes: their events are now announced as expired")
    elif not dropped:
        click.echo("nothing was dropped")


def delete_of(conn: Any, sites: Sequence[str], days: int | None) -> None:
    """The same for the sites that have a retention of their own. Fails at the end if one of them did."""
    failed: list[str] = []
    for site in sites:
        with failure_in_a_line(site, "be cleared of expired events", failed):
            deleted = retention.delete_expired(conn, site, days=days)
            if deleted:
                click.echo(f"deleted {deleted:,} events of {printable(site)}")
    for one in retention.site_plan(conn, days=days):
        if one.events and one.rolled_up and one.site_id not in failed:
            name = printable(one.site_id)
            click.echo(f"{one.events:,} events of {name} can be deleted in five minutes: now announced as expired")
    if failed:
        raise SystemExit(1)


def print_announced(conn: Any) -> None:
    """Print what an earlier retention announced and did not drop: reports leave these events out."""
    if found := expiry.announced(conn):
        until, there = found
        click.echo(
            f"but {there.events:,} events of {there.sites:,} sites before {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC "
            "are announced as expired by an earlier retention, and reports leave them out: "
            "`tjra retention --days 36500` takes it back"
        )


def print_sites(sites: Sequence[SiteRetention]) -> None:
    """Print what happens to the events of sites with a retention of their own."""
    for one in sites:
        there = f"{one.events:,} events{between(one.first_event, one.last_event)}" if one.events else "nothing"
        when = "" if one.announced or not one.events else " five minutes after they are announced as expired"
        if one.events and not one.rolled_up:
            lagging = expiry.describe_lagging([expiry.LaggingSite(one.site_id, one.rolled_up_until)])
            when = f", but for now they stay; held up by rollups {printable(lagging)}"
        click.echo(f"{printable(one.site_id)}, whose own retention is {one.days:,} days: {there} to delete{when}")


def print_plan(conn: Any, days: int, old: Sequence[expiry.Partition]) -> None:
    """Print which partitions are older than that many days, and what happens to each."""
    if not old:
        click.echo(f"no partition of events is more than {days:,} days old as a whole: nothing to drop")
        return
    groups = {
        "to drop now": [one for one in old if one.announced and not one.blocked],
        "to drop five minutes after their events are announced as expired": [
            one for one in old if not one.announced and not one.blocked
        ],
        "that stay for now": [one for one in old if one.blocked],
    }
    click.echo(f"more than {days:,} days old as a whole{spread(conn, old)}:")
    for what, partitions in groups.items():
        if partitions:
            click.echo(f"{len(partitions):,} {what}:")
        for one in partitions:
            there = one.contents
            click.echo(
                f"  {one.name}: {there.events:,} events of {there.sites:,} sites"
                f"{between(there.first_event, there.last_event)}{reason(one)}"
            )


def spread(conn: Any, old: Sequence[expiry.Partition]) -> str:
    """The total number of events and of sites."""
    every = expiry.events_between(conn, old[0].starts, old[-1].ends)
    return f", with {sum(one.contents.events for one in old):,} events of {every.sites:,} sites"


def reason(one: expiry.Partition) -> str:
    """Why a partition has to stay; empty if it can be dropped."""
    if one.lagging:
        return f"; held up by rollups {printable(expiry.describe_lagging(one.lagging))}"
    return "; held up because no site is known to have its events in the rollups" if one.no_site else ""
