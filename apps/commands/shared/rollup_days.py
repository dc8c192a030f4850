"""The range of days that a command processes."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import click

from apps.commands.shared.terminal import printable, show
from db.rollups.recount import Span


def day(text: str) -> date:
    """Parse a day in an option."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 (a day has no timezone)
    except ValueError:
        raise click.BadParameter(f"{text!r} should be a day such as 2026-01-31") from None


from_option = click.option("--from", "from_day", type=day, metavar="DAY", help="The first day.")
to_option = click.option("--to", "to_day", type=day, metavar="DAY", help="The last day (inclusive).")


def clip(site: str, span: Span | None) -> tuple[date, date]:
    """The first and the last day to process; the last is before the first if there is none. Reports omitted days."""
    if span is None:
        raise click.BadParameter(f"there is no site {site!r}", param_hint="'--site'")
    if span.first is None or span.last is None:
        return date.max, date.min
    if span.first_kept and span.first < span.first_kept:
        show("")
        click.echo(
            f"{printable(site)}: days before {span.first_kept} are left out: their events have expired", err=True
        )
        return span.first_kept, span.last
    return span.first, span.last


def days(first: date, last: date) -> Iterator[date]:
    """Each day from the first to the last, inclusive."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The same days by month: the first and the last day of each."""
    while first <= last:
        next_month = first.replace(day=1) + timedelta(days=31)
        end = min(last, next_month.replace(day=1) - timedelta(days=1))
        yield first, end
        first = end + timedelta(days=1)
