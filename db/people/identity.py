"""How a person is recognized once nothing may name them: by a hash with the site's key, as person_hash in sql/."""

import secrets
from hashlib import sha256
from urllib.parse import quote

import msgspec
from psycopg import AsyncConnection, Connection

from db.queries import QUERIES

BLOCK = 64


class NoSuchSite(Exception):
    """There is no site of this name."""


def new_key() -> bytes:
    """A key for HMAC-SHA-256, as its inner and its outer block (RFC 2104)."""
    key = secrets.token_bytes(BLOCK)
    return bytes(octet ^ 0x36 for octet in key) + bytes(octet ^ 0x5C for octet in key)


def hash_of(key: bytes, user_id: str) -> bytes:
    """The hash of a person."""
    return sha256(key[BLOCK:] + sha256(key[:BLOCK] + user_id.encode()).digest()).digest()


def visitor_hash_of(key: bytes, visitor_id: str) -> bytes:
    """The hash of a person's visitor, whose id may be somebody else's as a user: no id begins with its first byte."""
    return hash_of(key, f"\0{visitor_id}")


async def person_of(conn: AsyncConnection, site_id: str, user_id: str) -> bytes:
    """The hash of a person of a site; makes the site's key where it has none. Raises NoSuchSite."""
    for _ in range(2):
        row = await (await conn.execute(QUERIES["people/person_key"], {"site_id": site_id})).fetchone()
        if row is None:
            raise NoSuchSite(site_id)
        if row[0] is not None:
            return hash_of(row[0], user_id)
        await conn.execute(QUERIES["people/make_person_key"], {"site_id": site_id, "key": new_key()})
    raise AssertionError("the site has a key now")


async def make_site(conn: AsyncConnection, *, site_id: str) -> None:
    """Make a site of which nothing is stored yet."""
    await conn.execute(QUERIES["store/lock_sites"], {"sites": [site_id]})


def keys_of(conn: Connection, sites: set[str]) -> dict[str, bytes]:
    """The keys of those sites that have one."""
    found = {}
    for site_id in sorted(sites):
        row = conn.execute(QUERIES["people/person_key"], {"site_id": site_id}).fetchone()
        if row and row[0] is not None:
            found[site_id] = bytes(row[0])
    return found


def in_json(text: str) -> bytes:
    """A text as the queue has it in its JSON, with its quotation marks."""
    return msgspec.json.encode(text)


def in_address(text: str) -> bytes:
    """A text as addresses have it."""
    return quote(text, safe="").encode()
