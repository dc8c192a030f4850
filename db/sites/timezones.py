"""The timezones that a site may have, and changing a site's: `set_timezone(conn, "shop", "Europe/Berlin")`.

They are the names that PostgreSQL and Python both know (each may have a list of its own), kept in the table `timezones`
by `tjra migrate`.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from psycopg import AsyncConnection, Connection
from psycopg.errors import ForeignKeyViolation, InvalidParameterValue

from db.connections.pools import writing
from db.queries import QUERIES

#: Of sites with a wrong timezone, so many are named.
SITES_TOLD = 10


class UnknownTimezone(ValueError):
    """No timezone that PostgreSQL and Python both know has this name."""


class WrongTimezones(ValueError):
    """Sites of the database have timezones that there are not; the message names them and says what to do."""


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
    """The same as timezone_of, for a command."""
    row: tuple[str] | None = conn.execute(QUERIES["sites/timezone"], {"site_id": site_id}).fetchone()
    return row and row[0]


def read_known(conn: Connection) -> list[str]:
    """The same as known, for a command."""
    return [name for (name,) in conn.execute(QUERIES["sites/timezones"])]


def set_timezone(conn: Connection, site_id: str, timezone: str) -> str | None:
    """Set a site's timezone and make its rollups anew by it, in one transaction; answers the one before.

    Reports have the old days until it is done, and the new ones from then on; whoever stores events of the site waits.
    None: there is no such site. Raises UnknownTimezone.
    """
    try:
        with writing(conn):
            row: tuple[str | None] | None = conn.execute(
                QUERIES["sites/set_timezone"], {"site_id": site_id, "timezone": timezone}
            ).fetchone()
    except (ForeignKeyViolation, InvalidParameterValue):
        raise UnknownTimezone(timezone) from None
    return row and row[0]


def meant(timezone: str, names: Sequence[str]) -> str | None:
    """The name that somebody may have meant who wrote this."""
    spelled = {name.casefold(): name for name in names}
    cities = {name.casefold().rpartition("/")[2]: name for name in names if "/" in name}
    wanted = timezone.casefold().replace(" ", "_")
    if name := spelled.get(wanted) or cities.get(wanted.rpartition("/")[2]):
        return name
    close = get_close_matches(wanted, list(spelled), n=1, cutoff=0.8)
    return spelled[close[0]] if close else None


def unknown(timezone: str, names: Sequence[str]) -> str:
    """What is wrong with a timezone that is none of these."""
    name = meant(timezone, names)
    return f"{timezone!r} is unknown" + (f"; is {name} meant?" if name else "")


def correct_spelling(conn: Connection) -> None:
    """Spell the timezones that sites have as IANA does. Raises WrongTimezones where one is none.

    It runs before the migrations: they may read all sites.
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
    """Make the table what PostgreSQL and Python know now, once the migrations have made it."""
    if not _is_there(conn):
        return
    names = sorted(_shared(conn))
    conn.execute(QUERIES["sites/forget_timezones"], {"names": names})
    conn.execute(QUERIES["sites/add_timezones"], {"names": names})


def refer(conn: Connection) -> None:
    """Have sites refer to the table: from now on PostgreSQL refuses others."""
    if _is_there(conn):
        conn.execute(QUERIES["sites/refer_to_timezones"])


def _is_there(conn: Connection) -> bool:
    return conn.execute("select to_regclass('timezones')").fetchone() != (None,)


def _shared(conn: Connection) -> set[str]:
    known: set[str] = {name for (name,) in conn.execute(QUERIES["sites/postgresql_timezones"])}
    # UTC needs no file, and is what sites have until they are told another.
    return known & timezones() | {"UTC"}


def _sentence(conn: Connection, wrong: Sequence[str], names: Sequence[str]) -> str:
    told = "; ".join(f"{timezone!r} of {_sites(conn, timezone)}" for timezone in wrong)
    statements = "; ".join(
        f"update sites set timezone = '{meant(timezone, names) or 'Europe/Berlin'}' where timezone = {_literal(timezone)}"  # noqa: S608, E501 (is told, not run)
        for timezone in wrong
    )
    return (
        f"sites have a timezone that is no IANA name which PostgreSQL and Python know: {told}; before you migrate again"
        f" run `{statements}`, with the timezones that are meant, and afterwards `tjra rebuild` for these sites"
    )


def _sites(conn: Connection, timezone: str) -> str:
    """The sites that have it, the first of them by name."""
    values = {"timezone": timezone, "limit": SITES_TOLD + 1}
    site_ids = [repr(site_id) for (site_id,) in conn.execute(QUERIES["sites/sites_with_timezone"], values)]
    return ", ".join(site_ids[:SITES_TOLD]) + (" and others" if len(site_ids) > SITES_TOLD else "")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
