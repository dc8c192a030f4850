"""The timezones that sites may have, and setting a site's timezone: `set_timezone(conn, "shop", "Europe/Berlin")`.

They are the names that PostgreSQL and Python both know, as each may have its own list. `tjra migrate` writes them to
the table `timezones`.
"""

from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from psycopg import AsyncConnection, Connection
from psycopg.errors import ForeignKeyViolation, InvalidParameterValue

from db.connections.pools import writing
from db.queries import QUERIES

#: Number of sites with a wrong timezone that are named.
MAX_NAMED_SITES = 10


class UnknownTimezone(ValueError):
    """No timezone that PostgreSQL and Python both know has this name."""


class WrongTimezones(ValueError):
    """Sites in the database have unknown timezones; the message names them and says what to do."""


@cache
def timezones() -> frozenset[str]:
    """The names of all timezones that Python knows (https://www.iana.org/time-zones)."""
    return frozenset(available_timezones())


async def timezone_of(conn: AsyncConnection, site_id: str) -> str | None:
    """A site's timezone; None: there is no such site."""
    row: tuple[str] | None = await (await conn.execute(QUERIES["sites/timezone"], {"site_id": site_id})).fetchone()
    return row and row[0]


async def known(conn: AsyncConnection) -> list[str]:
    """The timezones that a site may have."""
    return [name for (name,) in await (await conn.execute(QUERIES["sites/timezones"])).fetchall()]


def read_timezone(conn: Connection, site_id: str) -> str | None:
    """As timezone_of, for a command."""
    row: tuple[str] | None = conn.execute(QUERIES["sites/timezone"], {"site_id": site_id}).fetchone()
    return row and row[0]


def read_known(conn: Connection) -> list[str]:
    """As known, for a command."""
    return [name for (name,) in conn.execute(QUERIES["sites/timezones"])]


def set_timezone(conn: Connection, site_id: str, timezone: str, *, now: datetime | None = None) -> str | None:
    """Set a site's timezone and rebuild its rollups, in one transaction; returns the timezone before.

    Reports have the old days until the commit, and the new ones afterwards; writers of the site wait. None: there is no
    such site. `now`: the current time instead of the database's clock. Raises UnknownTimezone.
    """
    values = {"site_id": site_id, "timezone": timezone, "now": now}
    try:
        with writing(conn):
            row: tuple[str | None] | None = conn.execute(QUERIES["sites/set_timezone"], values).fetchone()
    except (ForeignKeyViolation, InvalidParameterValue):
        raise UnknownTimezone(timezone) from None
    return row and row[0]


def suggestion(timezone: str, names: Sequence[str]) -> str | None:
    """The name that is closest to an unknown timezone, if any is close."""
    spelled = {name.casefold(): name for name in names}
    cities = {name.casefold().rpartition("/")[2]: name for name in names if "/" in name}
    text = timezone.casefold().replace(" ", "_")
    if name := spelled.get(text) or cities.get(text.rpartition("/")[2]):
        return name
    close = get_close_matches(text, list(spelled), n=1, cutoff=0.8)
    return spelled[close[0]] if close else None


def unknown(timezone: str, names: Sequence[str]) -> str:
    """The error text for a timezone that is not one of these."""
    name = suggestion(timezone, names)
    return f"{timezone!r} is unknown" + (f"; is {name} meant?" if name else "")


def correct_spelling(conn: Connection) -> None:
    """Change the spelling of sites' timezones to IANA's. Raises WrongTimezones if one is unknown.

    Runs before the migrations, which may read all sites.
    """
    names = _shared(conn)
    spelled = {name.casefold(): name for name in names}
    in_use: list[str] = [timezone for (timezone,) in conn.execute(QUERIES["sites/timezones_in_use"])]
    if wrong := [timezone for timezone in in_use if timezone.casefold() not in spelled]:
        raise WrongTimezones(_sentence(conn, wrong, sorted(names)))
    for timezone in in_use:
        if (name := spelled[timezone.casefold()]) != timezone:
            conn.execute(QUERIES["sites/spell_timezone"], {"spelled": timezone, "name": name})


def refresh(conn: Connection) -> None:
    """Update the table `timezones` to the names that PostgreSQL and Python know now, if the table exists."""
    if not _is_there(conn):
        return
    names = sorted(_shared(conn))
    conn.execute(QUERIES["sites/forget_timezones"], {"names": names})
    conn.execute(QUERIES["sites/add_timezones"], {"names": names})


def refer(conn: Connection) -> None:
    """Add the foreign key from sites to the table, so that PostgreSQL refuses other timezones."""
    if _is_there(conn):
        conn.execute(QUERIES["sites/refer_to_timezones"])


def _is_there(conn: Connection) -> bool:
    return conn.execute("select to_regclass('timezones')").fetchone() != (None,)


def _shared(conn: Connection) -> set[str]:
    known: set[str] = {name for (name,) in conn.execute(QUERIES["sites/postgresql_timezones"])}
    # UTC needs no file, and is the default of sites.
    return known & timezones() | {"UTC"}


def _sentence(conn: Connection, wrong: Sequence[str], names: Sequence[str]) -> str:
    in_use = "; ".join(f"{timezone!r} of {_sites(conn, timezone)}" for timezone in wrong)
    statements = "; ".join(
        f"update sites set timezone = '{suggestion(timezone, names) or 'Europe/Berlin'}' where timezone = {_literal(timezone)}"  # noqa: S608, E501 (printed, not run)
        for timezone in wrong
    )
    return (
        f"sites have a timezone that is no IANA name which PostgreSQL and Python know: {in_use}; before you migrate"
        f" again run `{statements}`, with the correct timezones, and afterwards `tjra rebuild` for these sites"
    )


def _sites(conn: Connection, timezone: str) -> str:
    """The sites with a timezone; at most MAX_NAMED_SITES by name."""
    values = {"timezone": timezone, "limit": MAX_NAMED_SITES + 1}
    site_ids = [repr(site_id) for (site_id,) in conn.execute(QUERIES["sites/sites_with_timezone"], values)]
    return ", ".join(site_ids[:MAX_NAMED_SITES]) + (" and others" if len(site_ids) > MAX_NAMED_SITES else "")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
