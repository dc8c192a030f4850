"""GET /sites: the sites, and how much each has."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.cursors import cursor_at, place_of
from db.event import SiteId
from db.reports.filters import any_case
from db.reports.report import rows

#: The last site of a page. PostgreSQL's text cannot hold U+0000.
Place = Annotated[str, Meta(pattern=r"^[^\0]+$")]


class Site(msgspec.Struct, kw_only=True):
    """A site and how much it has, over all time."""

    site_id: SiteId
    timezone: Annotated[str, Meta(description="The timezone that its days are meant in.", examples=["Europe/Berlin"])]
    events: Annotated[int, Meta(examples=[4096])]
    users: Annotated[int, Meta(description="Different `user_id`s.", examples=[417])]
    anonymous: Annotated[int, Meta(description="Events that name no user.", examples=[12])]
    first_event: Annotated[
        datetime | None,
        Meta(
            description="When the first event happened; null where there is none, and the begin of its hour "
            "where the event itself is no longer kept."
        ),
    ]
    last_event: Annotated[datetime | None, Meta(description="When the last event happened.")]


class SitePage(msgspec.Struct, kw_only=True):
    """Some of the sites, by `site_id`."""

    sites: list[Site]
    next_cursor: Annotated[str | None, Meta(description="Give it as `cursor` to go on; null: these were the last.")]


async def sites(conn: AsyncConnection, *, search: str, limit: int, cursor: str | None = None) -> SitePage:
    """A page of the sites that have a text in their `site_id`. Raises BadCursor."""
    after = place_of(cursor, Place) if cursor else ""
    found = await rows(conn, "sites", {"search": any_case(search), "after": after, "limit": limit + 1})
    for row in found:
        for name in ("first_event", "last_event"):
            row[name] = row[name] and row[name].astimezone(UTC)
    page = [Site(**row) for row in found[:limit]]
    return SitePage(sites=page, next_cursor=cursor_at(page[-1].site_id) if len(found) > limit else None)
