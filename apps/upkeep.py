"""`tjra verify` and `tjra rebuild`: are the rollups what the events say, and making them so."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import click
import msgspec

from apps.command_database import database
from db import rollups
from db.failures import is_of_a_site
from db.pools import WriteConnection

COLUMNS = "{:<16} {:<12} {:>12} {:>12}  {}"


def day(text: str) -> date:
    """A day as it is written in options."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 (a day has no timezone)
    except ValueError:
        raise click.BadParameter(f"{text!r} should be a day such as 2026-01-31") from None


from_option = click.option("--from", "from_day", type=day, metavar="DAY", help="The first day.")
to_option = click.option("--to", "to_day", type=day, metavar="DAY", help="The last day, included.")


@click.command("verify")
@click.option("--site", "sites", multiple=True, metavar="ID", help="A site; may be repeated.  [default: all]")
@from_option
@to_option
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many to print.")
@click.option("--json", "as_json", is_flag=True, help="Print each difference as a line of JSON.")
def verify_command(
    sites: tuple[str, ...], from_day: date | None, to_day: date | None, limit: int, as_json: bool
) -> None:
    """Count all rollups anew from the events and print what differs. The exit code is 1 if something does, or if a site
    cannot be checked, otherwise 0.

    It may run at any time: every comparison sees the tables as they are at one moment. A day is one of the site's
    timezone, such as 2026-01-31. How a site's users are numbered, and by which of its events each
    order counts, is always checked as a whole.

    Days whose events are no longer kept (they begin before sites.events_from) cannot be compared and are left out.
    """
    report = Report(limit, as_json=as_json)
    with database() as conn:
        for site in sites or rollups.site_ids(conn):
            with told_in_a_line(site, "be checked", report.failed):
                verify(conn, site, report, from_day=from_day, to_day=to_day)
    report.end()
    raise click.exceptions.Exit(1 if report.total or report.failed else 0)


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
        for site in sites or rollups.site_ids(conn):
            with told_in_a_line(site, "be rebuilt", failed):
                corrected = rebuild(conn, site, from_day=from_day, to_day=to_day)
                show("")
                click.echo(f"{printable(site)}: {corrected:,} rows corrected")
    raise click.exceptions.Exit(1 if failed else 0)


def verify(conn: WriteConnection, site: str, report: "Report", *, from_day: date | None, to_day: date | None) -> None:
    """Compare all of a site's rollups with its events."""
    for first, last in months(*clip(site, rollups.span(conn, site, from_day=from_day, to_day=to_day))):
        show(f"{printable(site)} {first}")
        for found in rollups.compare_days(conn, site, first_day=first, last_day=last, most=report.limit):
            report.add(found)
    show(f"{printable(site)} users and orders")
    for found in rollups.compare_site(conn, site, most=report.limit):
        report.add(found)


def rebuild(conn: WriteConnection, site: str, *, from_day: date | None, to_day: date | None) -> int:
    """Make all of a site's rollups what its events say; answers how many rows were not right."""
    first, last = clip(site, rollups.span(conn, site, from_day=from_day, to_day=to_day))
    show(f"{printable(site)} users and orders")
    corrected = rollups.rebuild_users(conn, site, renumber=from_day is None and to_day is None)
    corrected += rollups.rebuild_orders(conn, site)
    for begin, end in months(first, last):
        show(f"{printable(site)} {begin}")
        # Most months are right, and to see that takes less than to count each of their days anew.
        if not any(found.total for found in rollups.compare_days(conn, site, first_day=begin, last_day=end, most=1)):
            continue
        for each in days(begin, end):
            show(f"{printable(site)} {each}")
            corrected += rollups.rebuild_days(conn, site, first_day=each, last_day=each)
        corrected += rollups.rebuild_written_later(conn, site, first_day=begin, last_day=end)
    return corrected + rollups.rebuild_totals(conn, site)


@contextmanager
def told_in_a_line(site: str, what: str, failed: list[str]) -> Iterator[None]:
    """Tell in a line why something cannot be done with a site, and go on: others must not lack it for that."""
    try:
        yield
    except Exception as error:
        if not (isinstance(error, rollups.EventsLost) or is_of_a_site(error)):
            raise
        failed.append(site)
        show("")
        click.echo(f"{printable(site)}: cannot {what}: {printable(str(error).partition(chr(10))[0])}", err=True)


class Report:
    """What was found: the first differences, as a table or as lines of JSON, and in the end how many there are."""

    def __init__(self, limit: int, *, as_json: bool) -> None:
        self.limit = limit
        self.as_json = as_json
        self.total = 0
        self.printed = 0
        #: The sites that could not be checked.
        self.failed: list[str] = []

    def add(self, found: rollups.Found) -> None:
        self.total += found.total
        for difference in found.differences[: self.limit - self.printed]:
            show("")
            if self.printed == 0 and not self.as_json:
                click.echo(COLUMNS.format("site", "rollup", "rollup says", "events say", "of"))
            self.printed += 1
            click.echo(msgspec.json.encode(difference) if self.as_json else row(difference))

    def end(self) -> None:
        show("")
        if self.total > self.printed:
            click.echo(f"and {self.total - self.printed:,} more", err=True)
        right = "of the other sites the rollups are" if self.failed else "the rollups are"
        click.echo(f"{self.total:,} differences" if self.total else f"{right} what the events say", err=True)


def row(difference: rollups.Difference) -> str:
    """A line of the table; a dash is a row that is not there."""
    says, should = ("-" if n is None else f"{n:,}" for n in (difference.rollup_says, difference.events_say))
    key = " ".join(f"{name}={printable(str(value))}" for name, value in difference.key.items())
    return COLUMNS.format(printable(difference.site_id), difference.rollup, says, should, key)


def clip(site: str, span: rollups.Span | None) -> tuple[date, date]:
    """The first and the last day to look at; the last is before the first if there is none. Tells what is left out."""
    if span is None:
        raise click.BadParameter(f"there is no site {site!r}", param_hint="'--site'")
    if span.first is None or span.last is None:
        return date.max, date.min
    if span.first_kept and span.first < span.first_kept:
        show("")
        click.echo(
            f"{printable(site)}: days before {span.first_kept} are left out: their events are no longer kept", err=True
        )
        return span.first_kept, span.last
    return span.first, span.last


def days(first: date, last: date) -> Iterator[date]:
    """Each day, both included."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The same days by month: the first and the last of each."""
    while first <= last:
        next_month = first.replace(day=1) + timedelta(days=31)
        end = min(last, next_month.replace(day=1) - timedelta(days=1))
        yield first, end
        first = end + timedelta(days=1)


def show(text: str) -> None:
    """Show what is being done, in place of what was shown before, if stderr is a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)


def printable(text: str) -> str:
    """The text without what would move a terminal's cursor: anybody may have sent it."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
