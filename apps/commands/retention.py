"""`tjra retention`: drop expired events by hand, or print what would be dropped."""

from collections.abc import Sequence
from typing import Any

import click

from apps.commands.delete import between
from apps.commands.shared.database import database
from apps.commands.shared.terminal import printable
from db import expiry
from db.settings import load

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
    """
    days = days or load().retention_days
    if days is None:
        if not dry_run:
            raise click.UsageError(NOT_SET)
        click.echo(NOT_SET)
        return
    with database() as conn:
        old = expiry.plan(conn, days=days)
        print_plan(conn, days, old)
        if dry_run:
            return
        if old and not yes:
            click.confirm("Dropped events cannot be restored. Continue?", abort=True)
        dropped = expiry.drop_old_events(conn, days=days)
        waiting = [one for one in expiry.plan(conn, days=days) if not one.blocked]
    for name in dropped:
        click.echo(f"dropped {name}")
    if waiting:
        click.echo(f"{len(waiting):,} more can be dropped in five minutes: their events are now announced as expired")
    elif not dropped:
        click.echo("nothing was dropped")


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
