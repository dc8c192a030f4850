"""GET /live and GET /live/stream: what happens on a site now."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.events.event import EventPath
from db.reports.shared.filters import Filters
from db.reports.shared.ranges import RequestedRange, resolve
from db.reports.shared.report import Question, Report, rows, source_of

Users = Annotated[int, Meta(description="Different `user_id`s.", examples=[17])]
Anonymous = Annotated[int, Meta(description="Events that name no user, who are not in `users`.", examples=[3])]


class LivePage(msgspec.Struct, kw_only=True):
    """A page that is looked at."""

    path: EventPath
    views: Annotated[int, Meta(description="Events of type `page_view`.", examples=[12])]
    users: Users
    anonymous: Annotated[int, Meta(description="Views that name no user, who is not in `users`.", examples=[3])]


class LivePoint(msgspec.Struct, kw_only=True):
    """A minute."""

    at: Annotated[datetime, Meta(description="When the minute begins.")]
    events: Annotated[int, Meta(examples=[30])]
    users: Users
    anonymous: Anonymous


class Live(Report, kw_only=True):
    """What happened on a site in the last minutes."""

    events: Annotated[int, Meta(examples=[120])]
    users: Users
    anonymous: Anonymous
    pages: Annotated[list[LivePage], Meta(description="The pages with most views; equals by path.")]
    points: Annotated[list[LivePoint], Meta(description="Each minute of the clock; the first and last have a part.")]


async def live(
    conn: AsyncConnection, site_id: str, filters: Filters, *, as_of: datetime, minutes: int, pages: int
) -> Live:
    """The minutes before this moment, counted from the events, with at most `pages` pages."""
    requested = RequestedRange(instants=(as_of - timedelta(minutes=minutes), as_of))
    covered = await resolve(conn, site_id, requested, now=as_of)
    question = Question(site_id=site_id, range=covered, filters=filters, now=as_of, as_of=as_of)
    (row,) = await rows(conn, question, "live", limit=pages)
    points = msgspec.convert(row.pop("points"), list[LivePoint])
    for point in points:
        point.at = covered.local(point.at)
    found = msgspec.convert(row.pop("pages"), list[LivePage])
    return Live(**question.head(source_of("live")), **row, pages=found, points=points)
