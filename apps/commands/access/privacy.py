"""`tjra privacy`: export or erase a person."""

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from apps.commands.shared.database import database
from apps.commands.shared.resources import run
from apps.commands.shared.terminal import printable
from db.access.audit import COMMAND_LINE
from db.events.limits import text_fault
from db.people.erase import erase, is_refused, vacuum
from db.people.receipts import Erasure
from db.settings import load

if TYPE_CHECKING:
    from apps.reporting_resources import ReportingResources

SITE = click.option("--site", "site_id", required=True, metavar="ID", help="The site.")


class Person(click.ParamType[str]):
    """A user id."""

    name = "user_id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if fault := "is empty" if not value else text_fault("user_id", value):
            self.fail(f"it {fault}", param, ctx)
        return str(value)


@click.group("privacy")
def privacy_command() -> None:
    """People's rights: export all that is kept of a person, or erase them."""


@privacy_command.command("export")
@click.argument("user_id", type=Person())
@SITE
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file.  [default: standard output]")
def export_command(user_id: str, site_id: str, output: Path | None) -> None:
    """Print all that is kept of the person USER_ID as NDJSON: the first line says what it is."""
    from apps.people import operations

    async def work(resources: "ReportingResources") -> None:
        asked = operations.export(resources, site_id=site_id, user_id=user_id, by=COMMAND_LINE)
        async with aclosing(asked) as lines:
            await anext(lines)
            with click.open_file(str(output or "-"), "wb") as file:
                async for part in lines:
                    file.write(part)
                file.flush()

    run(work, "redis_url")


@privacy_command.command("erase")
@click.argument("user_id", type=Person())
@SITE
@click.option("--dry-run", is_flag=True, help="Only print what would be erased.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def erase_command(user_id: str, site_id: str, dry_run: bool, yes: bool) -> None:
    """Erase the person USER_ID and print the receipt. This cannot be undone; the counts of all reports stay.

    It needs PostgreSQL alone and is one transaction; workers that store events of the site wait for it. Events of
    theirs that are still in the queue become nameless when they are stored.
    """
    from apps.people import operations

    async def look(resources: "ReportingResources") -> dict[str, int]:
        return await operations.kept(resources, site_id=site_id, user_id=user_id)

    there = run(look)
    click.echo(f"of this person {printable(site_id)} has")
    for kind, count in there.items():
        click.echo(f"  {count:,} {kind.replace('_', ' ')}{'' if count == 1 else 's'}")
    if dry_run:
        return
    if not yes:
        click.confirm("This cannot be undone. Erase them?", abort=True)
    asked: Erasure = run(
        lambda resources: operations.note(resources, site_id=site_id, user_id=user_id, by=COMMAND_LINE)
    )
    with database() as conn:
        erase(conn, site_id, asked.erasure_id)
        try:
            vacuum(conn, site_id, asked.erasure_id)
        except Exception as error:
            if not is_refused(error):
                raise
            click.echo(f"the old rows are left to autovacuum: {error}", err=True)
        if load().redis_url:
            _rewrite(conn, asked)
    receipt = run(lambda resources: operations.show(resources, site_id=site_id, erasure_id=asked.erasure_id))
    click.echo(msgspec.json.format(msgspec.json.encode(receipt)))


def _rewrite(conn: Any, erasure: Erasure) -> None:
    """Have Redis rewrite its files, if it is there."""
    from actors.people import rewrite_files
    from db.people.receipts import note_rewrite

    if rewrite_files():
        note_rewrite(conn, erasure.site_id, erasure.erasure_id)
