"""The options of `tjra import`."""

import functools
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from apps.importing import option_types
from apps.importing.rows.mapping import CONSTANTS, FIELDS
from apps.importing.rows.row_events import AMOUNTS

#: Options that are not remembered: they may hold passwords.
ADDRESSES = ("url", "reporting_url")
FORMATS = ["csv", "ndjson", "combined"]

OPTIONS = [
    click.option("--site", type=option_types.site, metavar="ID", help="The site that the events are for."),
    click.option(
        "--format",
        "given_format",
        type=click.Choice(FORMATS),
        help="What the files hold.  [default: by the name: .csv, .ndjson .jsonl .json, .log, each also with .gz]",
    ),
    click.option(
        "--column",
        "columns",
        multiple=True,
        type=option_types.pair("FIELD=COLUMN", FIELDS, empty=True),
        metavar="FIELD=COLUMN",
        help=f"The column, or key of JSON, that a field comes from; FIELD is one of {', '.join(FIELDS)}. Without this "
        "option it is the column of the field's own name; FIELD= leaves the field out.",
    ),
    click.option(
        "--set",
        "constants",
        multiple=True,
        type=option_types.constant,
        metavar="FIELD=VALUE",
        help=f"The same value for every event; FIELD is one of {', '.join(CONSTANTS)}, or properties.NAME.",
    ),
    click.option(
        "--property",
        "properties",
        multiple=True,
        type=option_types.property_pair,
        metavar="[NAME=]COLUMN",
        help="A column that becomes a property, under its own name or another.",
    ),
    click.option(
        "--rename-type",
        "types",
        multiple=True,
        type=option_types.pair("OLD=NEW"),
        metavar="OLD=NEW",
        help="An event type that is called otherwise here, such as page_viewed=page_view.",
    ),
    click.option(
        "--timezone",
        "zone",
        type=option_types.zone,
        show_default="UTC",
        metavar="IANA",
        help="Where the times without an offset are local, such as Europe/Berlin.",
    ),
    click.option(
        "--time-unit",
        "unit",
        type=click.Choice(["s", "ms"]),
        default="ms",
        show_default=True,
        help="What times that are numbers count, from 1970 on.",
    ),
    click.option(
        "--time-format",
        type=option_types.time_format,
        metavar="FORMAT",
        help="How times are written that are neither ISO 8601 nor 31.12.2026 20:29:46 nor numbers: in the codes of "
        "Python's strptime, such as '%m/%d/%Y %H:%M' or '%d.%m.%y'.",
    ),
    click.option(
        "--decimal",
        type=click.Choice([".", ","]),
        default=".",
        show_default=True,
        help="What is before the decimals of amounts: with , 1.234,50 in the properties "
        f"{', '.join(AMOUNTS)} becomes 1234.50.",
    ),
    click.option(
        "--delimiter",
        type=option_types.delimiter,
        metavar="CHARACTER",
        help="What is between the cells of CSV; tab for a tab.  [default: what the header has most of: , ; | or tab]",
    ),
    click.option(
        "--encoding",
        type=option_types.encoding,
        metavar="NAME",
        help="Of the text, such as cp1252 or latin-1.  [default: UTF-8, or UTF-16 where the file shows it]",
    ),
    click.option(
        "--bots",
        type=click.Choice(["drop", "mark", "keep"]),
        help="What becomes of bots' requests in a log, told by their user agents; mark: with the property bot.  "
        "[default: as BOTS says for SDKs, else drop]",
    ),
    click.option(
        "--all-requests", is_flag=True, help="Of a log, import what is no page view too, as the event type request."
    ),
    click.option(
        "--url",
        type=option_types.address,
        help="The ingestion API.  [default: here, port INGESTION_PORT, else that of this folder's `tjra up`]",
    ),
    click.option(
        "--reporting-url",
        type=option_types.address,
        help="The reporting API, which remembers the import and tells what was new.  [default: here, port "
        "REPORTING_PORT, else that of this folder's `tjra up`; with --url none]",
    ),
    click.option("--undo", metavar="ID", help="Take this import back: delete the events that it brought."),
    click.option("--yes", is_flag=True, help="Of --undo: do not ask."),
    click.option("--dry-run", is_flag=True, help="Send nothing: check all, and show the first three events as JSON."),
]


def import_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that has these options."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(OPTIONS), command)


def given_options() -> list[str]:
    """The options of the command that runs, as they were given, for a list of imports."""
    context = click.get_current_context()
    given: list[str] = []
    for option in context.command.params:
        name = option.name or ""
        if not isinstance(option, click.Option) or name in ADDRESSES:
            continue
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            values = context.params[name] if option.multiple else [context.params[name]]
            texts = ("=".join(value) if isinstance(value, tuple) else str(value) for value in values)
            given.extend(f"{option.opts[0]}={text}"[:1_000] for text in texts)
    return given
