"""`tjra imports` and `tjra import --undo ID`: list imports, and undo one."""

from collections.abc import Sequence

import click
import msgspec

from apps.commands.rebuild import rebuild
from apps.commands.shared.database import database
from apps.commands.shared.terminal import between, printable, show
from db.access import audit
from db.connections.pools import WriteConnection, writing
from db.ledger import imports
from db.ledger.imports import KnownImport
from db.rollups import recount


def undo(import_id: str, site: str | None, *, yes: bool, dry_run: bool) -> None:
    """Delete the events of an import and rebuild the rollups, in one transaction."""
    try:
        import_id = msgspec.convert(import_id, imports.ImportId)
    except msgspec.ValidationError:
        raise click.BadParameter(
            "an import's id has 12 hexadecimal digits: see `tjra imports`", param_hint="--undo"
        ) from None
    with database() as conn:
        site = site or _site_of(conn, import_id)
        one = _known(conn, site, import_id)
        there = imports.stored(conn, site, one)
        if not there.events:
            raise click.ClickException(f"site {printable(site)!r} has no events of the import {import_id}")
        name = ", ".join(printable(file.name) for file in one.files) or "files that are not recorded"
        click.echo(f"import {import_id} of {name} brought {there.events:,} events{between(there.first, there.last)}")
        if dry_run:
            return
        if not yes:
            click.confirm(f"Delete these {there.events:,} events of {printable(site)}?", abort=True)
        try:
            with writing(conn):
                deleted = imports.delete_events(conn, site, one)
                corrected = rebuild(conn, site, from_day=None, to_day=None)
                left = imports.stored(conn, site, one).events
                audit.note_on(
                    conn, audit.COMMAND_LINE, "import.undo", {"site": site, "import": import_id, "events": deleted}
                )
        except (imports.NoLongerKept, recount.EventsLost) as error:
            raise click.ClickException(f"nothing was deleted: {error}") from None
    show("")
    click.echo(f"deleted {deleted:,} events, {left:,} are left of it; {corrected:,} rows of rollups corrected")
    if one.ended_at is None:
        click.echo("The import had not ended: once its events in the queue are stored, run this again.")


@click.command("imports")
@click.option("--site", "sites", multiple=True, metavar="ID", help="A site; may be repeated.  [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def imports_command(sites: Sequence[str], as_json: bool) -> None:
    """List the imports of files, the newest first: files, time, and the number of stored events.

    `tjra import --undo ID` undoes an import.
    """
    with database() as conn:
        for site in sites or recount.site_ids(conn):
            for one in imports.read_imports(conn, site):
                events = imports.stored(conn, site, one).events
                if as_json:
                    fields = msgspec.to_builtins(one) | {"site_id": site, "stored": events}
                    click.echo(msgspec.json.encode({name: fields[name] for name in fields if name != "messages"}))
                else:
                    click.echo(_line(site, one, events))


def _line(site: str, one: KnownImport, events: int) -> str:
    files = ", ".join(printable(file.name) for file in one.files)
    state = "undone" if one.undone_at else "ended" if one.ended_at else "not ended"
    return (
        f"{one.import_id}  {one.began_at:%Y-%m-%d %H:%M}  {printable(site)}  {files}: {one.read:,} rows, "
        f"{one.sent:,} sent, {events:,} there{between(one.first_time, one.last_time)} ({state})"
    )


def _site_of(conn: WriteConnection, import_id: str) -> str:
    sites = imports.sites_of(conn, import_id)
    if not sites:
        raise click.UsageError(
            f"`tjra imports` does not list {import_id}: if that is its id, --site names the site that has its events"
        )
    if len(sites) > 1:
        names = ", ".join(map(printable, sites))
        raise click.UsageError(f"the import {import_id} is in several sites ({names}): --site says which")
    return sites[0]


def _known(conn: WriteConnection, site: str, import_id: str) -> KnownImport:
    for one in imports.read_imports(conn, site, import_id):
        return one
    return imports.unknown(import_id)
