"""GET /sites: the sites, and how much each has."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.cursors import decode_cursor, encode_cursor
from db.events.event import SiteId
from db.reports.shared.filters import any_case
from db.reports.shared.report import fetch

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


async def sites(
    conn: AsyncConnection, *, search: str, limit: int, cursor: str | None = None, only: Sequence[str] | None = None
) -> SitePage:
    """A page of the sites that have a text in their `site_id`, or of `only` these. Raises BadParameter."""
    after = decode_cursor(cursor, Place) if cursor else ""
    found = await fetch(conn, "sites", {"search": any_case(search), "after": after, "sites": only, "limit": limit + 1})
    edges = await _edges(conn, [row for row in found if row["events"]])
    for row in found:
        hours = row.pop("first_hour"), row.pop("last_hour")
        for name, hour, edge in zip(
            ("first_event", "last_event"), hours, edges.get(row["site_id"], hours), strict=True
        ):
            row[name] = (edge or hour) and (edge or hour).astimezone(UTC)
    page = [Site(**row) for row in found[:limit]]
    return SitePage(sites=page, next_cursor=encode_cursor(page[-1].site_id) if len(found) > limit else None)


async def _edges(conn: AsyncConnection, sites: list[dict[str, Any]]) -> dict[str, tuple[datetime | None, ...]]:
    """The times of the first and the last event of each of these sites, None where it is no longer kept."""
    if not sites:
        return {}
    firsts, lasts = ([row[name].astimezone(UTC) for row in sites] for name in ("first_hour", "last_hour"))
    parameters = {
        "site_ids": [row["site_id"] for row in sites],
        "first_hours": firsts,
        "last_hours": lasts,
        "first_from": min(firsts),
        "first_to": max(firsts) + timedelta(hours=2),
        "last_from": min(lasts),
        "last_to": max(lasts) + timedelta(hours=2),
    }
    return {
        row["site_id"]: (row["first_event"], row["last_event"]) for row in await fetch(conn, "site_edges", parameters)
    }
