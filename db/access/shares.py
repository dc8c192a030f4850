"""Share links: keys that read the reports of one site, and end."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from db.access import audit, keys
from db.access.keys import Key, NewKey
from db.access.passwords import hash_password
from db.access.scopes import Scope
from db.connections.pools import ReadConnection
from db.queries import QUERIES

#: When a link ends for which nobody says when.
LASTS = timedelta(days=90)
#: Where a link leads: this and the secret.
PATH = "/share/"


class NewShare(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a new share link is to be."""

    name: Annotated[
        str, Meta(min_length=1, max_length=200, description="For whom or what it is: text of 1 to 200 characters.")
    ]
    site_id: Annotated[str, Meta(min_length=1, max_length=255, description="The site whose reports it shows.")]
    expires_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(description=f"When it ends: ISO 8601 with an offset; left out: in {LASTS.days} days."),
    ] = None
    password: Annotated[
        Annotated[str, Meta(min_length=8, max_length=200)] | None,
        Meta(description="What the link asks for, 8 to 200 characters; left out: nothing."),
    ] = None


def key_of(new: NewShare) -> NewKey:
    """The key that a share link is."""
    end = new.expires_at or datetime.now(UTC) + LASTS
    return NewKey(name=new.name, scopes=[Scope.REPORTS_READ], sites=[new.site_id], expires_at=end)


async def create_share(conn: ReadConnection, new: NewShare, *, password: str | None, by: str) -> tuple[Key, str]:
    """Store a share link, with what is stored of its password; return its key, and the path that it leads to."""
    key = key_of(new)
    async with conn.transaction():
        made, secret = await keys.create_key(conn, key, by=by, share=True, password=password)
        details = {"key": made.id, "name": made.name, "site": new.site_id, "expires_at": made.expires_at}
        await audit.note(conn, by, "share.create", details)
    return made, PATH + secret


def stored_password(new: NewShare) -> str | None:
    """What is stored of its password, if it has any. It takes long."""
    return None if new.password is None else hash_password(new.password)


async def password_of(conn: ReadConnection, hashed: bytes) -> str | None:
    """What is stored of the password of the link with this hash, if it has any."""
    row = await (await conn.execute(QUERIES["access/password_of_key"], {"hash": hashed})).fetchone()
    return row[0] if row else None
