"""`tjra import FILE... --site ID`: the options, and how the command ends."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from apps.commands.imports import undo as undo_import
from apps.importing.files.line_reader import Format, LineReader, format_of
from apps.importing.files.records import Unusable
from apps.importing.misreadings import refuse_misreadings
from apps.importing.options import given_options, import_options
from apps.importing.rows.decimals import Decimal
from apps.importing.rows.mapping import PROPERTY, Mapping
from apps.importing.rows.timestamps import ASSUMED_UTC, Unit
from apps.importing.sources import open_source
from apps.up.data_dir import key_of_folder
from db.settings import Settings, load

Pairs = tuple[tuple[str, str], ...]

EPILOG = """
\b
Examples:
  tjra import events.csv.gz --site shop
  tjra import orders.csv --site shop --dry-run --set event_type=purchase --set path=/checkout \\
      --column timestamp=Date --time-format '%m/%d/%Y %H:%M' --timezone Europe/London \\
      --column user_id=Customer --property order_id=Order --property revenue=Total --decimal , \\
      --set properties.currency=EUR
  tjra import /var/log/apache2/access.log* --format combined --site shop
  tjra import --undo 3f9a2c0b7d15
"""


@click.command("import", epilog=EPILOG)
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@import_options
def import_command(
    files: tuple[Path, ...],
    site: str | None,
    given_format: Format | None,
    all_requests: bool,
    delimiter: str | None,
    encoding: str | None,
    bots: str | None,
    host: str | None,
    url: str | None,
    reporting_url: str | None,
    key: str | None,
    undo: str | None,
    yes: bool,
    dry_run: bool,
    give_up_after: float | None = None,  # no option
    **options: Any,
) -> None:
    """Send the rows of CSV, NDJSON and access log files (Apache's combined format) to the ingestion API as events.

    It is safe to run it again, on the same files or on files that have grown: an event's id is made from the site and
    the content of its row, so only new rows add events. Equal rows of one file are different events (if fewer than
    500,000 other rows are between them); equal rows of two files are the same event, so exports may overlap. The
    options are not part of the id: importing rows again with other options does not change their events, unless the
    options change their times.

    From an access log, page views are imported: GET requests with status 200 to 299 or 304, except for static files.
    The client's address is never sent: visitor_id is the first 32 hexadecimal digits of SHA-256 over site, address and
    user agent. That hides the address from readers, but not from someone who tries all addresses.

    Each import has an id, which its events have as the property import_id. At the end, the command prints how many
    events were new; events that were stored before stay part of their first import. `tjra imports` lists imports.
    --undo ID deletes the events of an import and corrects the rollups, in one transaction; after that, the same rows
    can be imported again.
    """
    if undo:
        if files:
            raise click.UsageError("--undo takes an import's id and no files: see `tjra imports`")
        undo_import(undo, site, yes=yes, dry_run=dry_run)
        return
    if not files:
        raise click.UsageError("Missing argument 'FILES...'.")
    if site is None:
        raise click.UsageError("Missing option '--site'.")
    mapping = _mapping(**options)
    kinds = [_kind(path, given_format) for path in files]
    _check_use(kinds, mapping, all_requests=all_requests, bots=bots, host=host, delimiter=delimiter)
    settings = load()
    target = None if dry_run else url or _own_url(settings)
    reporting = reporting_url or (None if url or not settings.reporting_port else _own(settings.reporting_port))
    own_key = key or settings.admin_key or key_of_folder(settings.data_dir)
    if reporting_url is None:  # our own: no other server gets the first key
        key = own_key
    # Imported here, because it loads slowly and no other command needs it.
    from apps.importing import run
    from apps.importing.register import Register

    with ExitStack() as stack:
        lines = [stack.enter_context(LineReader(path, encoding)) for path in files]
        try:
            sources = [
                refuse_misreadings(
                    open_source(
                        *file,
                        site=site,
                        mapping=mapping,
                        all_requests=all_requests,
                        delimiter=delimiter,
                        bots=bots or settings.bots,
                        host=host,
                    ),
                    sending=not dry_run,
                )
                for file in zip(lines, kinds, strict=True)
            ]
        except Unusable as error:
            raise click.ClickException(str(error)) from None
        finally:
            for note in (note for one in lines for note in one.notes):
                click.echo(note, err=True)
        if target:
            register = stack.enter_context(Register(reporting, key=key, site=site, options=given_options()))
            ending = run.send(
                sources,
                url=target,
                register=register,
                key=None if url else own_key,
                give_up_after=give_up_after,
            )
        else:
            ending = run.check(sources, site=site, settings=settings)
    for event in ending.shown:
        click.echo(event)
    click.echo(ending.tally.summary(sent="sent" if target else "good; nothing was sent"), err=True)
    if target:
        click.echo(f"sent to the ingestion API at {target}", err=True)
    for text in (ending.outcome, ending.fault):
        if text:
            click.echo(text, err=True)
    raise click.exceptions.Exit(ending.code)


def _mapping(
    *,
    columns: Pairs,
    constants: Pairs,
    properties: Pairs,
    types: Pairs,
    zone: ZoneInfo | None,
    unit: Unit,
    time_format: str | None,
    decimal: Decimal | None,
) -> Mapping:
    given = _once(constants, "--set")
    mapping = Mapping(
        columns=_once(columns, "--column"),
        constants={name: value for name, value in given.items() if not name.startswith(PROPERTY)},
        constant_properties={
            name.removeprefix(PROPERTY): value for name, value in given.items() if name.startswith(PROPERTY)
        },
        properties=_once(properties, "--property"),
        types=_once(types, "--rename-type"),
        zone=zone or ASSUMED_UTC,
        unit=unit,
        time_format=time_format,
        decimal=decimal,
    )
    if both := sorted(mapping.properties.keys() & mapping.constant_properties.keys()):
        raise click.UsageError(f"the property {both[0]} is given twice: by --property and by --set")
    if both := sorted(mapping.columns.keys() & mapping.constants.keys()):
        raise click.UsageError(f"{both[0]} is given twice: by --column and by --set")
    return mapping


def _once(pairs: Pairs, option: str) -> dict[str, str]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(f"{option} is given twice for {name!r}")
    return dict(pairs)


def _kind(path: Path, given: Format | None) -> Format:
    if kind := given or format_of(path):
        return kind
    raise click.UsageError(f"the name of {path.name} does not show its format: use --format")


def _check_use(
    kinds: list[Format],
    mapping: Mapping,
    *,
    all_requests: bool,
    bots: str | None,
    host: str | None,
    delimiter: str | None,
) -> None:
    """Refuse options that apply to none of the files."""
    unused = Mapping(zone=mapping.zone, unit=mapping.unit)
    if set(kinds) == {"combined"} and mapping != unused:
        raise click.UsageError(
            "--column, --set, --property, --rename-type, --time-format and --decimal are for CSV and NDJSON, "
            "not for logs"
        )
    for option, given in (("--all-requests", all_requests), ("--bots", bots), ("--host", host)):
        if given and "combined" not in kinds:
            raise click.UsageError(f"{option} is for access logs")
    if delimiter and "csv" not in kinds:
        raise click.UsageError("--delimiter is for CSV")


def _own_url(settings: Settings) -> str:
    if settings.ingestion_port == 0:
        raise click.UsageError("INGESTION_PORT is 0 (any free port): give the URL with --url")
    return _own(settings.ingestion_port)


def _own(port: int) -> str:
    return f"http://127.0.0.1:{port}"
