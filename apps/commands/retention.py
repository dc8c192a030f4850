"""`tjra retention`: what RETENTION_DAYS lets go, beforehand and by hand."""

from collections.abc import Sequence
from typing import Any

import click

from apps.commands.delete import between
from apps.commands.shared.database import database
from apps.commands.shared.terminal import printable
from db import expiry
from db.settings import load

NOT_SET = "RETENTION_DAYS is not set: events are kept for ever, and none would go (--days N tells of N days)"


@click.command("retention")
@click.option("--days", type=click.IntRange(1, 36_500), help="For how many days.  [default: RETENTION_DAYS]")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def retention_command(days: int | None, dry_run: bool, yes: bool) -> None:
    """Drop events that are older than they are kept, as workers do every ten minutes.

    Events go by whole partitions (weeks). First it is said that their events are no longer kept, five minutes later
    they are dropped: by the workers where RETENTION_DAYS is set, or when this runs again. The numbers of rollups stay.
    More days than before take back what was said of events that are still there.
    """
    days = days or load().retention_days
    if days is None:
        if not dry_run:
            raise click.UsageError(NOT_SET)
        click.echo(NOT_SET)
        return
    with database() as conn:
        old = expiry.plan(conn, days=days)
        tell(conn, days, old)
        if dry_run:
            return
        if old and not yes:
            click.confirm("What is dropped cannot be brought back. Go on?", abort=True)
        dropped = expiry.drop_old_events(conn, days=days)
        waiting = [one for one in expiry.plan(conn, days=days) if not one.blocked]
    for name in dropped:
        click.echo(f"dropped {name}")
    if waiting:
        click.echo(f"{len(waiting):,} more may go in five minutes: it is said now that their events are no longer kept")
    elif not dropped:
        click.echo("nothing was dropped")


def tell(conn: Any, days: int, old: Sequence[expiry.Partition]) -> None:
    """Tell which partitions are older than so many days, and what becomes of each."""
    if not old:
        click.echo(f"no partition of events is more than {days:,} days old as a whole: nothing would go")
        return
    groups = {
        "go now": [one for one in old if one.announced and not one.blocked],
        "go five minutes after it was said that their events are no longer kept": [
            one for one in old if not one.announced and not one.blocked
        ],
        "stay for now": [one for one in old if one.blocked],
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
    """How many events of how many sites there are in all."""
    every = expiry.events_between(conn, old[0].starts, old[-1].ends)
    return f", with {sum(one.contents.events for one in old):,} events of {every.sites:,} sites"


def reason(one: expiry.Partition) -> str:
    """Why a partition has to stay; nothing where it has not."""
    if one.lagging:
        return f"; held up by rollups {printable(expiry.describe_lagging(one.lagging))}"
    return "; held up as no site is known to have its events in the rollups" if one.no_site else ""
