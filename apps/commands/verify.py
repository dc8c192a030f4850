"""`tjra verify`: do the rollups match the events?"""

from datetime import date

import click
import msgspec

from apps.commands.shared.database import database
from apps.commands.shared.rollup_days import clip, from_option, months, to_option
from apps.commands.shared.terminal import failure_in_a_line, printable, show
from db.connections.pools import WriteConnection
from db.rollups import recount

COLUMNS = "{:<16} {:<12} {:>12} {:>12}  {}"


@click.command("verify")
@click.option("--site", "sites", multiple=True, metavar="ID", help="A site; may be repeated.  [default: all]")
@from_option
@to_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Largest number of differences to print.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per difference.")
def verify_command(
    sites: tuple[str, ...], from_day: date | None, to_day: date | None, limit: int, as_json: bool
) -> None:
    """Recompute all rollups from the events and print the differences. The exit code is 1 if there is a difference or a
    site cannot be checked, otherwise 0.

    It may run at any time: every comparison uses a consistent snapshot. A day such as 2026-01-31 is in the site's
    timezone. The numbers of a site's users and the event that each order counts by are checked for all days.

    Days whose events have expired (they begin before sites.events_from) cannot be compared and are left out.
    """
    report = Report(limit, as_json=as_json)
    with database() as conn:
        for site in sites or recount.site_ids(conn):
            with failure_in_a_line(site, "be checked", report.failed):
                verify(conn, site, report, from_day=from_day, to_day=to_day)
    report.end()
    raise click.exceptions.Exit(1 if report.total or report.failed else 0)


def verify(conn: WriteConnection, site: str, report: "Report", *, from_day: date | None, to_day: date | None) -> None:
    """Compare all of a site's rollups with its events."""
    for first, last in months(*clip(site, recount.span(conn, site, from_day=from_day, to_day=to_day))):
        show(f"{printable(site)} {first}")
        for result in recount.compare_days(conn, site, first_day=first, last_day=last, most=report.limit):
            report.add(result)
    show(f"{printable(site)} users and orders")
    for result in recount.compare_site(conn, site, most=report.limit):
        report.add(result)


class Report:
    """Prints the first differences, as a table or as lines of JSON, and at the end their total number."""

    def __init__(self, limit: int, *, as_json: bool) -> None:
        self.limit = limit
        self.as_json = as_json
        self.total = 0
        self.printed = 0
        #: The sites that could not be checked.
        self.failed: list[str] = []

    def add(self, result: recount.CheckResult) -> None:
        self.total += result.total
        for difference in result.differences[: self.limit - self.printed]:
            show("")
            if self.printed == 0 and not self.as_json:
                click.echo(COLUMNS.format("site", "rollup", "actual", "expected", "key"))
            self.printed += 1
            click.echo(msgspec.json.encode(difference) if self.as_json else row(difference))

    def end(self) -> None:
        show("")
        if self.total > self.printed:
            click.echo(f"and {self.total - self.printed:,} more", err=True)
        matching = "the rollups of the other sites match" if self.failed else "the rollups match"
        click.echo(f"{self.total:,} differences" if self.total else f"{matching} the events", err=True)


def row(difference: recount.Difference) -> str:
    """A line of the table; a dash stands for a missing row."""
    actual, expected = ("-" if n is None else f"{n:,}" for n in (difference.rollup_says, difference.events_say))
    key = " ".join(f"{name}={printable(str(value))}" for name, value in difference.key.items())
    return COLUMNS.format(printable(difference.site_id), difference.rollup, actual, expected, key)
