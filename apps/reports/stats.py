"""GET /stats."""

from datetime import date
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request
from msgspec import Meta

from apps.reporting_resources import resources_of
from apps.reports.shared.endpoint import endpoint
from apps.reports.shared.visible import read_report_query
from apps.web.openapi import answer
from db.events.errors import FieldError
from db.events.event import SiteId
from db.reports.stats import PathViews, Stats, stats

Day = Annotated[
    date, Meta(description="A day of the site's timezone, as YYYY-MM-DD; left out: all time.", examples=["2026-01-02"])
]

BAD_DATE = FieldError(field="date", reason="should be a day such as 2026-01-31", allowed="a day as YYYY-MM-DD")


class StatsQuery(msgspec.Struct, kw_only=True):
    """The parameters of GET /stats."""

    site_id: SiteId
    date: Day | None = None


@endpoint(
    "/stats",
    query=StatsQuery,
    summary="Views, users and top paths",
    ok=answer(
        "The report.",
        Stats(
            site_id="shop",
            date=date(2026, 1, 2),
            total_views=1024,
            unique_users=417,
            top_paths=[PathViews(path="/products/lamp", views=120)],
        ),
    ),
    bad=BAD_DATE,
)
async def get_stats(request: Request[Any, Any, Any]) -> Stats:
    """How often a site's pages were viewed on a day or ever, by how many different users, and the ten most viewed
    paths.

    Views are events of type `page_view`; users are counted over all event types. A site that was never seen has zeros.
    """
    query = read_report_query(request, StatsQuery)
    return await resources_of(request).read(partial(stats, site_id=query.site_id, date=query.date))
