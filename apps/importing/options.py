"""The options of `tjra import`."""

import functools
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from apps.importing import option_types
from apps.importing.rows.known import MEMBERS
from apps.importing.rows.mapping import CONSTANTS, FIELDS, VISITOR_COLUMNS
from apps.importing.rows.row_events import AMOUNTS

#: Options that are not recorded with the import: they may contain passwords.
ADDRESSES = ("url", "reporting_url", "key")
FORMATS = ["csv", "ndjson", "combined"]

OPTIONS = [
    click.option("--site", type=option_types.site, metavar="ID", help="The site of the events."),
    click.option(
        "--format",
        "given_format",
        type=click.Choice(FORMATS),
        help="The format of the files.  [default: by the name: .csv, .ndjson .jsonl .json, .log, each also with .gz]",
    ),
    click.option(
        "--column",
        "columns",
        multiple=True,
        type=option_types.pair("FIELD=COLUMN", (*FIELDS, *MEMBERS), empty=True),
        metavar="FIELD=COLUMN",
        help=f"The column or JSON key of a field; FIELD is one of {', '.join(FIELDS)}, or of the visit "
        f"{', '.join(MEMBERS)}. By default it is the column with the field's name, and for visitor_id also "
        f"{', '.join(VISITOR_COLUMNS)}; FIELD= leaves the field out.",
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
        help="A column that becomes a property, with its own name or another; NAME= leaves it out. By default "
        "these do: order_id, currency, quantity, referrer, utm_source and so on, and revenue, total or amount, if "
        "there is one of the three.",
    ),
    click.option(
        "--rename-type",
        "types",
        multiple=True,
        type=option_types.pair("OLD=NEW"),
        metavar="OLD=NEW",
        help="Rename an event type, such as page_viewed=page_view.",
    ),
    click.option(
        "--timezone",
        "zone",
        type=option_types.zone,
        show_default="UTC",
        metavar="IANA",
        help="The timezone of times without an offset, such as Europe/Berlin.",
    ),
    click.option(
        "--time-unit",
        "unit",
        type=click.Choice(["s", "ms"]),
        default="ms",
        show_default=True,
        help="The unit of numeric times (since 1970).",
    ),
    click.option(
        "--time-format",
        type=option_types.time_format,
        metavar="FORMAT",
        help="The format of times that are neither ISO 8601 nor 31.12.2026 20:29:46 nor numbers, in the codes of "
        "Python's strptime, such as '%m/%d/%Y %H:%M' or '%d.%m.%y'.",
    ),
    click.option(
        "--decimal",
        type=click.Choice([".", ","]),
        help="The decimal separator of amounts: with a comma 1.234,50 becomes 1234.50, with a point 1,234.50 does, in "
        f"the properties {', '.join(AMOUNTS)}.  [default: a point, and nothing between thousands]",
    ),
    click.option(
        "--delimiter",
        type=option_types.delimiter,
        metavar="CHARACTER",
        help="The delimiter of CSV; tab for a tab.  [default: the most frequent one in the header: , ; | or tab]",
    ),
    click.option(
        "--encoding",
        type=option_types.encoding,
        metavar="NAME",
        help="The encoding of the files, such as cp1252 or latin-1.  [default: UTF-8, or UTF-16 if detected]",
    ),
    click.option(
        "--bots",
        type=click.Choice(["drop", "mark", "keep"]),
        help="What to do with requests of bots in a log, detected by their user agents; mark: set the property bot.  "
        "[default: the setting BOTS, otherwise drop]",
    ),
    click.option(
        "--all-requests",
        is_flag=True,
        help="Also import requests of a log that are not page views, as the event type request.",
    ),
    click.option(
        "--host",
        type=option_types.host,
        metavar="HOST",
        help="The host of the site's pages, where a log does not have it: it is no referrer. Those of the site's "
        "origins are none anyway.",
    ),
    click.option(
        "--url",
        type=option_types.address,
        help="The ingestion API.  [default: this host, port INGESTION_PORT, or that of this folder's `tjra up`]",
    ),
    click.option(
        "--reporting-url",
        type=option_types.address,
        help="The reporting API, which records the import and counts its new events.  [default: this host, port "
        "REPORTING_PORT, or that of this folder's `tjra up`; none with --url]",
    ),
    click.option(
        "--key",
        envvar="TJRA_KEY",
        help="A key with the scopes operations and events:write, for both APIs (not for that of --url); better as the "
        "variable TJRA_KEY.  [default: the first key, if it is in this folder's `tjra up`]",
    ),
    click.option("--undo", metavar="ID", help="Undo this import: delete the events that it added."),
    click.option("--yes", is_flag=True, help="With --undo: do not ask for confirmation."),
    click.option("--dry-run", is_flag=True, help="Send nothing: check all events, and print the first three as JSON."),
]


def import_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add these options to a command."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(OPTIONS), command)


def given_options() -> list[str]:
    """The options on the command line of the running command, for the record of the import."""
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
