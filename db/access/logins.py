"""The logins of browsers in the database."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from db.access.keys import identity_of
from db.access.scopes import Identity
from db.access.tokens import hash_of, new_login
from db.connections.pools import ReadConnection
from db.queries import QUERIES

#: After which time without a request a login ends, and after which it ends in any case.
IDLE, LASTS = timedelta(days=14), timedelta(days=90)


async def create_login(conn: ReadConnection, key_id: UUID) -> str:
    """Store a login with a key; return its secret."""
    secret = new_login()
    await conn.execute(QUERIES["access/create_login"], {"hash": hash_of(secret), "key": key_id, "lasts": LASTS})
    return secret


async def holder_of_login(conn: ReadConnection, hashed: bytes) -> Identity | None:
    """Whom the valid login with this hash stands for."""
    row = await (await conn.execute(QUERIES["access/holder_of_login"], {"hash": hashed, "idle": IDLE})).fetchone()
    return identity_of(row)


async def delete_login(conn: ReadConnection, secret: str) -> None:
    """End a login."""
    await conn.execute(QUERIES["access/delete_login"], {"hash": hash_of(secret)})


async def note_use(conn: ReadConnection, hashes: Sequence[bytes]) -> None:
    """Note that these logins were used, unless that was noted within the last hour."""
    await conn.execute(QUERIES["access/note_login_use"], {"hashes": list(hashes)})


async def delete_ended(conn: ReadConnection) -> None:
    """Delete logins that have ended."""
    await conn.execute(QUERIES["access/delete_ended_logins"], {"idle": IDLE})
