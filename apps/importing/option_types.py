"""Types of the options of `tjra import`: functions that parse and validate the text of an option."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import click

from apps.importing.files.decoding import decoder
from apps.importing.rows.mapping import CONSTANTS, PROPERTY
from apps.origins.sources import host_of
from db.events.limits import text_fault

#: A time whose parts all differ, to check a format.
SAMPLE = datetime(2026, 11, 13, 20, 29, 46, tzinfo=UTC)


def pair(form: str, names: Sequence[str] = (), *, empty: bool = False) -> Callable[[str], tuple[str, str]]:
    """A parser of NAME=VALUE: the name is one of `names`, if given; the value may be `empty`."""

    def read(text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not equals or not name or not (value or empty):
            raise click.BadParameter(f"{text!r} should be {form}")
        if names and name not in names:
            raise click.BadParameter(f"{name!r} should be one of {', '.join(names)}")
        return name, value

    return read


def constant(text: str) -> tuple[str, str]:
    """Parse FIELD=VALUE, where the field may also be a property."""
    if re.match(re.escape(PROPERTY) + "[^=]", text):
        return pair("FIELD=VALUE")(text)
    return pair("FIELD=VALUE", (*CONSTANTS, f"{PROPERTY}NAME"))(text)


def property_pair(text: str) -> tuple[str, str]:
    """Parse NAME=COLUMN, or COLUMN for both; NAME= leaves the property out."""
    return pair("NAME=COLUMN or COLUMN", empty=True)(text if "=" in text else f"{text}={text}")


def time_format(form: str) -> str:
    """A format of datetime.strptime with year, month and day."""
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
    """An encoding that Python knows."""
    try:
        "".encode(name)
        decoder(name).decode(b"", final=True)  # punycode and similar ones cannot skip invalid bytes
    except (LookupError, ValueError):
        raise click.BadParameter(f"{name!r} should be an encoding such as cp1252, latin-1 or utf-16") from None
    return name


def delimiter(text: str) -> str:
    """The delimiter of CSV: one character."""
    text = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n\0':
        raise click.BadParameter(f"{text!r} should be one character, or tab")
    return text


def zone(name: str) -> ZoneInfo:
    """The timezone with this IANA name."""
    try:
        return ZoneInfo(name)
    except (OSError, LookupError, ValueError):
        raise click.BadParameter(f"{name!r} should be the name of a timezone such as Europe/Berlin") from None


def site(text: str) -> str:
    """A site's id, within the limits of an event's site_id."""
    try:
        fault = text_fault("site_id", text) if text else "is empty"
    except UnicodeEncodeError:
        fault = "is not UTF-8 text"
    if fault:
        raise click.BadParameter(f"the site's id {fault}: it should be text of 1 to 255 bytes")
    return text


def host(text: str) -> str:
    """The name of a host."""
    if not (found := host_of(text)) or "/" in text:
        raise click.BadParameter(f"{text!r} should be a host such as shop.example")
    return found


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
