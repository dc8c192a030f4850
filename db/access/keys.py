"""The keys in the database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
import psycopg
from msgspec import Meta
from psycopg.rows import class_row
from uuid_utils.compat import uuid7

from db.access.scopes import Identity, Scope
from db.access.tokens import PREFIX, hash_of, is_key, new_key
from db.connections.pools import ReadConnection, connect, writing
from db.queries import QUERIES
from db.settings import SettingsError


class NewKey(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a new key is to be."""

    name: Annotated[
        str,
        Meta(max_length=200, pattern=r"^[^\0]+$", description="For whom or what it is: text of 1 to 200 characters."),
    ]
    scopes: Annotated[
        list[Scope],
        Meta(
            min_length=1,
            description=f"What it allows: a list of {', '.join(Scope)}.",
            examples=[["reports:read", "operations"]],
        ),
    ]
    sites: Annotated[
        Annotated[list[Annotated[str, Meta(max_length=255, pattern=r"^[^\0]+$")]], Meta(min_length=1)] | None,
        Meta(description="The sites it is for; left out: all, also those to come."),
    ] = None
    expires_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(description="When it ends: ISO 8601 with an offset; left out: never."),
    ] = None


class Key(msgspec.Struct, kw_only=True):
    """A key, without its secret."""

    id: UUID
    prefix: Annotated[str, Meta(description="Its first characters, by which people recognize it.")]
    name: str
    scopes: list[str]
    sites: Annotated[list[str] | None, Meta(description="null: all.")] = None
    share: Annotated[bool, Meta(description="Whether it is a share link.")] = False
    with_password: Annotated[bool, Meta(description="Whether that asks for a password.")] = False
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: Annotated[datetime | None, Meta(description="Up to an hour old.")] = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it is neither revoked nor over."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


async def create_key(
    conn: ReadConnection, new: NewKey, *, by: str, share: bool = False, password: str | None = None
) -> tuple[Key, str]:
    """Store a new key; return it, and its secret, which is not stored."""
    row, secret = _made(new, by=by, share=share, password=password)
    async with conn.transaction():
        await conn.execute(QUERIES["access/create_key"], row)
        (key,) = await list_keys(conn, row["id"])
    return key, secret


def draft(new: NewKey, *, by: str, share: bool = False, with_password: bool = False) -> Key:
    """What a new key would be, without its id, its beginning and a secret."""
    return Key(
        id=UUID(int=0), prefix="", name=new.name, scopes=list(new.scopes), sites=new.sites, share=share,
        with_password=with_password, created_by=by, created_at=datetime.now(UTC), expires_at=new.expires_at,
    )  # fmt: skip


def told(key: Key) -> dict[str, Any]:
    """What the audit says of a new key."""
    return {"key": key.id, "name": key.name, "scopes": key.scopes, "sites": key.sites, "expires_at": key.expires_at}


async def list_keys(conn: ReadConnection, key_id: UUID | None = None) -> list[Key]:
    """All keys, the newest first, or that with this id, or none."""
    async with conn.cursor(row_factory=class_row(Key)) as cur:
        await cur.execute(QUERIES["access/list_keys"], {"id": key_id})
        return await cur.fetchall()


def valid_keys(conn: psycopg.Connection[Any]) -> list[Key]:
    """The keys that are valid now, the newest first, on the connection of a command."""
    with conn.cursor(row_factory=class_row(Key)) as cur:
        found = cur.execute(QUERIES["access/list_keys"], {"id": None}).fetchall()
    return [key for key in found if key.is_valid(datetime.now(UTC))]


async def revoke_key(conn: ReadConnection, key_id: UUID) -> bool:
    """Revoke a key; return whether it was valid until now."""
    return (await conn.execute(QUERIES["access/revoke_key"], {"id": key_id})).rowcount > 0


async def rotate_key(
    conn: ReadConnection, key_id: UUID, *, overlap: timedelta, by: str
) -> tuple[Key, str, datetime] | None:
    """Create a key like a valid one, which expires after the overlap; None if there is none. Returns the new key, its
    secret, and until when the old one is valid."""
    row = await (await conn.execute(QUERIES["access/expire_key"], {"id": key_id, "overlap": overlap})).fetchone()
    if row is None:
        return None
    name, scopes, sites, expires_at, old_until = row
    new = NewKey(name=name, scopes=[Scope(scope) for scope in scopes], sites=sites, expires_at=expires_at)
    return *await create_key(conn, new, by=by), old_until


async def holder_of_key(conn: ReadConnection, hashed: bytes) -> Identity | None:
    """Whom the valid key with this hash stands for."""
    row = await (await conn.execute(QUERIES["access/holder_of_key"], {"hash": hashed})).fetchone()
    return identity_of(row)


def identity_of(row: Any) -> Identity | None:
    """The identity in a row: id, name, scopes, sites, share, and when it ends."""
    if row is None:
        return None
    key_id, name, scopes, sites, share, ends_at = row
    return Identity(
        name=name,
        scopes=frozenset(scopes),
        sites=None if sites is None else frozenset(sites),
        key_id=key_id,
        share=share,
        ends_at=ends_at,
    )


async def note_use(conn: ReadConnection, keys: Sequence[UUID]) -> None:
    """Note that these keys were used, unless that was noted within the last hour."""
    await conn.execute(QUERIES["access/note_key_use"], {"ids": list(keys)})


def provision(database_url: str, given: str | None) -> str | None:
    """Store the key of ADMIN_KEY if it is given; else make the first key, an admin's, if there has never been one.

    Returns the key that was made. A given key that was revoked stays so. Raises SettingsError if it is mistyped.
    """
    if given is not None and not is_key(given):
        raise SettingsError("ADMIN_KEY is mistyped: its checksum is wrong; `tjra key new` prints a new one")
    with connect(database_url) as conn, writing(conn):
        conn.execute("lock table keys in share row exclusive mode")  # two starts at once make one
        if given is None and _one(conn, "access/has_admin"):
            return None
        new = NewKey(name="first key" if given is None else "ADMIN_KEY", scopes=[Scope.ADMIN])
        row, secret = _made(new, by="first start" if given is None else "setting", given=given)
        conn.execute(QUERIES["access/create_key"] + b" on conflict (hash) do nothing", row)
    return secret if given is None else None


def lacks_admin(database_url: str) -> bool:
    """Whether there has never been a key of an admin."""
    with connect(database_url) as conn:
        return not _one(conn, "access/has_admin")


def _one(conn: psycopg.Connection[Any], query: str) -> Any:
    row = conn.execute(QUERIES[query]).fetchone()
    return row[0] if row else None


def _made(
    new: NewKey, *, by: str, share: bool = False, password: str | None = None, given: str | None = None
) -> tuple[dict[str, Any], str]:
    secret = given or new_key("s" if share else "a" if Scope.ADMIN in new.scopes else "k")
    row = {
        "id": uuid7(),
        "hash": hash_of(secret),
        "prefix": secret[:PREFIX],
        "name": new.name,
        "scopes": [str(scope) for scope in new.scopes],
        "sites": new.sites,
        "share": share,
        "password": password,
        "by": by,
        "expires": new.expires_at,
    }
    return row, secret
