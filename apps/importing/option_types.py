"""What the options of `tjra import` take, checked as they are read: functions from text to a value."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import click

from db.event import text_fault


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


def property_pair(text: str) -> tuple[str, str]:
    """Of NAME=COLUMN, or COLUMN for both."""
    return pair("NAME=COLUMN or COLUMN")(text if "=" in text else f"{text}={text}")


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
