"""What ingestion has to know of keys, logins and sites. Workers hand it on, as ingestion never asks PostgreSQL."""

from datetime import datetime
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import class_row

from db.access.logins import IDLE
from db.queries import QUERIES


class ValidKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A valid key."""

    hash: str
    """SHA-256 in hexadecimal digits."""
    id: UUID
    name: str
    scopes: list[str]
    sites: list[str] | None = None
    share: bool = False
    expires_at: datetime | None = None


class ValidLogin(msgspec.Struct, frozen=True):
    """A valid login, if its key is valid."""

    hash: str
    key: str
    """The hash of its key."""
    ends_at: datetime


class SiteRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """The settings of a registered site that are about its events."""

    site_id: str
    origins: list[str] | None = None
    currency: str | None = None
    secret_orders: bool = False
    retention_days: int | None = None


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of them at one moment."""

    keys: list[ValidKey] = []
    logins: list[ValidLogin] = []
    sites: list[SiteRules] = []


def read_snapshot(conn: psycopg.Connection) -> Snapshot:
    """The keys, logins and sites of now; equal ones are encoded alike."""
    with conn.cursor(row_factory=class_row(ValidLogin)) as cur:
        logins = cur.execute(QUERIES["access/valid_logins"], {"idle": IDLE}).fetchall()
    with conn.cursor(row_factory=class_row(ValidKey)) as cur:
        keys = cur.execute(QUERIES["access/valid_keys"]).fetchall()
    with conn.cursor(row_factory=class_row(SiteRules)) as cur:
        sites = cur.execute(QUERIES["sites/rules"]).fetchall()
    return Snapshot(keys=keys, logins=logins, sites=sites)
