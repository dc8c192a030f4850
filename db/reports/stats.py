"""The owner's report: `stats(conn, site_id=..., date=...)`."""

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from db.events.event import SiteId
from db.queries import QUERIES


class PathViews(msgspec.Struct, frozen=True):
    """A path and how often it was viewed."""

    path: Annotated[str, Meta(examples=["/products/lamp"])]
    views: Annotated[int, Meta(examples=[120])]


class Stats(msgspec.Struct, frozen=True):
    """Views, users and the most viewed paths of one site."""

    site_id: SiteId
    date: Annotated[date | None, Meta(description="The day, in the site's timezone; null: all time.")]
    total_views: Annotated[int, Meta(description="Events of type `page_view`.", examples=[1024])]
    unique_users: Annotated[int, Meta(description="Different `user_id`s over all event types.", examples=[417])]
    top_paths: Annotated[list[PathViews], Meta(description="The ten most viewed paths; equals by name.")]


async def stats(conn: AsyncConnection, *, site_id: str, date: date | None) -> Stats:
    """The report of one day of the site's timezone, or of all time; zeros for a site that was never seen."""
    query = QUERIES["reports/stats_ever" if date is None else "reports/stats_day"]
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute(query, {"site_id": site_id, "date": date})
        return msgspec.convert({"site_id": site_id, "date": date, **(await cur.fetchone() or {})}, Stats)
