"""What the options of `tjra import` take, checked as they are read: functions from text to a value."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import click

from apps.importing.files.decoding import decoder
from apps.importing.rows.mapping import CONSTANTS, PROPERTY
from db.events.event import text_fault

#: A time of which no two parts are the same.
SAMPLE = datetime(2026, 11, 13, 20, 29, 46, tzinfo=UTC)


def pair(form: str, names: Sequence[str] = (), *, empty: bool = False) -> Callable[[str], tuple[str, str]]:
    """Of text such as NAME=VALUE, where the name is one of `names` if there are any, and the value may be `empty`."""

    def read(text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not equals or not name or not (value or empty):
            raise click.BadParameter(f"{text!r} should be {form}")
        if names and name not in names:
            raise click.BadParameter(f"{name!r} should be one of {', '.join(names)}")
        return name, value

    return read


def constant(text: str) -> tuple[str, str]:
    """Of FIELD=VALUE, where the field may also be a property."""
    if re.match(re.escape(PROPERTY) + "[^=]", text):
        return pair("FIELD=VALUE")(text)
    return pair("FIELD=VALUE", (*CONSTANTS, f"{PROPERTY}NAME"))(text)


def property_pair(text: str) -> tuple[str, str]:
    """Of NAME=COLUMN, or COLUMN for both."""
    return pair("NAME=COLUMN or COLUMN")(text if "=" in text else f"{text}={text}")


def time_format(form: str) -> str:
    """A format of datetime.strptime's that says a whole date."""
    try:
        good = datetime.strptime(SAMPLE.strftime(form), form).date() == SAMPLE.date()  # noqa: DTZ007 (a day)
    except (ValueError, UnicodeError, re.error):
        good = False
    if not good:
        raise click.BadParameter(
            f"{form!r} should say year, month and day in the codes of Python's strptime, such as '%d.%m.%Y %H:%M:%S'"
        )
    return form


def encoding(name: str) -> str:
    """The encoding of a text, by one of the names that Python knows."""
    try:
        "".encode(name)
        decoder(name).decode(b"", final=True)  # punycode and the like cannot pass over what is spoiled
    except (LookupError, ValueError):
        raise click.BadParameter(f"{name!r} should be an encoding such as cp1252, latin-1 or utf-16") from None
    return name


def delimiter(text: str) -> str:
    """What is between the cells of CSV: one character."""
    text = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n\0':
        raise click.BadParameter(f"{text!r} should be one character, or tab")
    return text


def zone(name: str) -> ZoneInfo:
    """The timezone of this name."""
    try:
        return ZoneInfo(name)
    except (OSError, LookupError, ValueError):
        raise click.BadParameter(f"{name!r} should be the name of a timezone such as Europe/Berlin") from None


def site(text: str) -> str:
    """A site's id, under the event's own limits."""
    try:
        fault = text_fault("site_id", text) if text else "is empty"
    except UnicodeEncodeError:
        fault = "is not UTF-8 text"
    if fault:
        raise click.BadParameter(f"the site's id {fault}: it should be text of 1 to 255 bytes")
    return text


def address(url: str) -> str:
    """The URL of an HTTP server."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise click.BadParameter(f"{url!r} should be such as http://127.0.0.1:3000")
    return url
