"""Registered sites and their settings."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from psycopg.rows import class_row

from db.connections.pools import ReadConnection
from db.queries import QUERIES

Name = Annotated[
    str,
    Meta(
        max_length=200, pattern=r"^[^\x00]*$", description="For people: at most 200 characters.", examples=["Lamp shop"]
    ),
]
Timezone = Annotated[
    str,
    Meta(min_length=1, description="The timezone that its days are meant in, as Europe/Berlin.", examples=["UTC"]),
]
Origins = Annotated[
    list[Annotated[str, Meta(max_length=300, pattern=r"^https?://[^,/\s\x00]+$")]],
    Meta(
        max_length=100,
        description="The pages that may send its events, at most 100: each http:// or https:// and a host, with no "
        "path and no slash at the end, as https://shop.example; null: those of CORS_ORIGINS.",
        examples=[["https://shop.example"]],
    ),
]
Currency = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z]{3}$",
        description="What a sale without currency is in: three letters (ISO 4217) such as EUR; null: it cannot be "
        "counted.",
        examples=["EUR"],
    ),
]
RetentionDays = Annotated[
    int,
    Meta(
        ge=1,
        le=36_500,
        description="Days after which its events expire, while its rollups keep their numbers; null: RETENTION_DAYS of "
        "the installation. Only fewer days than that have an effect.",
        examples=[400],
    ),
]
SecretOrders = Annotated[
    bool,
    Meta(description="`true` or `false`: whether orders and refunds count only if sent with a secret write key."),
]


class SiteSettings(msgspec.Struct, kw_only=True):
    """A site and its settings, which are the defaults if it is not registered."""

    site_id: str
    name: Name = ""
    timezone: Timezone = "UTC"
    origins: Origins | None = None
    currency: Currency | None = None
    secret_orders: SecretOrders = False
    retention_days: RetentionDays | None = None
    created_at: Annotated[datetime | None, Meta(description="When it was registered; null: it is not.")] = None


class Changes(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What to set; what is left out stays as it is, or has its default if the site is new."""

    name: Name | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    origins: Origins | UnsetType | None = UNSET
    currency: Currency | UnsetType | None = UNSET
    secret_orders: SecretOrders | UnsetType = UNSET
    retention_days: RetentionDays | UnsetType | None = UNSET


async def settings_of(conn: ReadConnection, site_id: str) -> SiteSettings | None:
    """The settings of a site; None if it is not registered."""
    found = await _read(conn, site_id)
    return found[0] if found else None


async def registered(conn: ReadConnection) -> list[SiteSettings]:
    """All registered sites."""
    return await _read(conn, None)


async def put_settings(conn: ReadConnection, site_id: str, changes: Changes) -> SiteSettings:
    """Register a site, or change its settings, except for its timezone (db/sites/timezones.py)."""
    async with conn.transaction():
        before = await settings_of(conn, site_id)
        known = before or SiteSettings(site_id=site_id)
        values: dict[str, Any] = {
            name: getattr(known, name) for name in ("name", "origins", "currency", "secret_orders", "retention_days")
        }
        values |= {name: given for name in values if (given := getattr(changes, name)) is not UNSET}
        if values["origins"] is not None:
            values["origins"] = list(dict.fromkeys(origin.lower() for origin in values["origins"]))
        if values["currency"] is not None:
            values["currency"] = values["currency"].upper()
        await conn.execute(QUERIES["sites/add_site"], {"site_id": site_id})
        await conn.execute(QUERIES["sites/put_settings"], {"site_id": site_id, **values})
        (after,) = await _read(conn, site_id)
    return after


async def remove_settings(conn: ReadConnection, site_id: str) -> bool:
    """Remove the registration of a site, whose data stay; return whether it was registered."""
    return (await conn.execute(QUERIES["sites/remove_settings"], {"site_id": site_id})).rowcount > 0


async def _read(conn: ReadConnection, site_id: str | None) -> list[SiteSettings]:
    async with conn.cursor(row_factory=class_row(SiteSettings)) as cur:
        await cur.execute(QUERIES["sites/settings"], {"site_id": site_id})
        return await cur.fetchall()
