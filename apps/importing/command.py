"""`tjra import FILE... --site ID`: the options, and how the command ends."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from apps.importing import option_types
from apps.importing.files import Format, Lines, format_of
from apps.importing.mapping import CONSTANTS, FIELDS, Mapping
from apps.importing.records import Unusable
from apps.importing.sources import open_source
from apps.importing.times import Unit
from db.settings import Settings, load

Pairs = tuple[tuple[str, str], ...]

FORMATS = ["csv", "ndjson", "combined"]

EPILOG = """
\b
Examples:
  tjra import events.csv.gz --site shop
  tjra import orders.csv --site shop --set event_type=purchase --set path=/checkout \\
      --column timestamp=InvoiceDate --column user_id=CustomerID --timezone Europe/London
  tjra import /var/log/apache2/access.log* --format combined --site shop
"""


@click.command("import", epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", required=True, type=option_types.site, metavar="ID", help="The site that the events are for.")
@click.option(
    "--format",
    "given_format",
    type=click.Choice(FORMATS),
    help="What the files hold.  [default: by the name: .csv, .ndjson .jsonl .json, .log, each also with .gz]",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    type=option_types.pair("FIELD=COLUMN", FIELDS, empty=True),
    metavar="FIELD=COLUMN",
    help=f"The column, or key of JSON, that a field comes from; FIELD is one of {', '.join(FIELDS)}. Without this "
    "option it is the column of the field's own name; FIELD= leaves the field out.",
)
@click.option(
    "--set",
    "constants",
    multiple=True,
    type=option_types.pair("FIELD=VALUE", CONSTANTS),
    metavar="FIELD=VALUE",
    help=f"The same value for every event; FIELD is one of {', '.join(CONSTANTS)}.",
)
@click.option(
    "--property",
    "properties",
    multiple=True,
    type=option_types.property_pair,
    metavar="[NAME=]COLUMN",
    help="A column that becomes a property, under its own name or another.",
)
@click.option(
    "--rename-type",
    "types",
    multiple=True,
    type=option_types.pair("OLD=NEW"),
    metavar="OLD=NEW",
    help="An event type that is called otherwise here, such as page_viewed=page_view.",
)
@click.option(
    "--timezone",
    "zone",
    type=option_types.zone,
    default="UTC",
    show_default=True,
    metavar="IANA",
    help="Where the times without an offset are local, such as Europe/Berlin.",
)
@click.option(
    "--time-unit",
    "unit",
    type=click.Choice(["s", "ms"]),
    default="ms",
    show_default=True,
    help="What times that are numbers count, from 1970 on.",
)
@click.option(
    "--all-requests", is_flag=True, help="Of a log, import what is no page view too, as the event type request."
)
@click.option("--url", type=option_types.address, help="The ingestion API.  [default: port INGESTION_PORT, here]")
@click.option("--dry-run", is_flag=True, help="Send nothing: check all, and show the first three events as JSON.")
def import_command(
    files: tuple[Path, ...],
    site: str,
    given_format: Format | None,
    all_requests: bool,
    url: str | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Send the rows of CSV, NDJSON and access log files (Apache's combined format) to the ingestion API as events.

    It can be run again, on the same files or on files that have grown: an event's id comes from the site and the
    content of its row, and only new rows add events. Equal rows of one file are different events (as long as fewer
    than 500,000 other rows lie between them); equal rows of two files are the same event, so that exports may overlap.
    The options are not part of the id: rows that are imported again with other options stay the events that they are,
    unless the options give them another time.

    Of an access log, page views are imported: GET requests answered with 200 to 299 or 304, except for static files.
    The client's address is never sent: user_id is the first 32 hexadecimal digits of SHA-256 over site, address and
    user agent. It hides who it was from a reader, not from somebody who tries all addresses.
    """
    mapping = _mapping(**options)
    kinds = [_kind(path, given_format) for path in files]
    _check_use(kinds, mapping, all_requests)
    settings = load()
    target = None if dry_run else url or _own_url(settings)
    # Here, because it takes a third of a second to load and no other command needs it.
    from apps.importing import session

    with ExitStack() as stack:
        lines = [stack.enter_context(Lines(path)) for path in files]
        try:
            sources = [
                open_source(*file, site=site, mapping=mapping, all_requests=all_requests)
                for file in zip(lines, kinds, strict=True)
            ]
        except Unusable as error:
            raise click.ClickException(str(error)) from None
        if target:
            ending = session.send(sources, site=site, url=target)
        else:
            ending = session.rehearse(sources, site=site, settings=settings)
    for event in ending.shown:
        click.echo(event)
    click.echo(ending.tally.summary(sent="sent" if target else "good; nothing was sent"), err=True)
    if ending.fault:
        click.echo(ending.fault, err=True)
    raise click.exceptions.Exit(ending.code)


def _mapping(
    *, columns: Pairs, constants: Pairs, properties: Pairs, types: Pairs, zone: ZoneInfo, unit: Unit
) -> Mapping:
    mapping = Mapping(
        columns=_once(columns, "--column"),
        constants=_once(constants, "--set"),
        properties=_once(properties, "--property"),
        types=_once(types, "--rename-type"),
        zone=zone,
        unit=unit,
    )
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
    raise click.UsageError(f"the name of {path.name} does not tell what it holds: say so by --format")


def _check_use(kinds: list[Format], mapping: Mapping, all_requests: bool) -> None:
    """Refuse options that none of the files has a use for."""
    if set(kinds) == {"combined"} and (mapping.columns or mapping.constants or mapping.properties or mapping.types):
        raise click.UsageError("--column, --set, --property and --rename-type are for CSV and NDJSON, not for logs")
    if all_requests and "combined" not in kinds:
        raise click.UsageError("--all-requests is for access logs")


def _own_url(settings: Settings) -> str:
    if settings.ingestion_port == 0:
        raise click.UsageError("INGESTION_PORT is 0, any free one: --url says which one it is")
    return f"http://127.0.0.1:{settings.ingestion_port}"
