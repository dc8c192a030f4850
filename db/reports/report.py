"""What all reports have in common."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from db.event import SiteId
from db.queries import QUERIES
from db.reports.filters import Filters
from db.reports.ranges import Range

Source = Literal["rollups", "events"]


class Report(msgspec.Struct, kw_only=True):
    """What a report says of itself."""

    site_id: SiteId
    start: Annotated[datetime, Meta(description="The range begins here.")] = msgspec.field(name="from")
    end: Annotated[datetime, Meta(description="The range ends before this.")] = msgspec.field(name="to")
    timezone: Annotated[str, Meta(description="The timezone that days are meant in.", examples=["Europe/Berlin"])]
    source: Annotated[
        Source, Meta(description="`rollups`: from sums kept by hour or day; `events`: counted from the events now.")
    ]
    as_of: Annotated[datetime, Meta(description="Everything stored until then is in the report.")]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of one site: a range of time, and what events have to match."""

    site_id: str
    range: Range
    filters: Filters

    def parameters(self, **others: Any) -> dict[str, Any]:
        """The named parameters of a query about it."""
        return {
            "site_id": self.site_id,
            "start": self.range.start,
            "end": self.range.end,
            "first_day": self.range.first_day,
            "end_day": self.range.end_day,
            "timezone": self.range.timezone,
            "filters": self.filters.parameter(),
            **others,
        }

    def head(self, source: Source, as_of: datetime) -> dict[str, Any]:
        """The fields of its Report."""
        return {
            "site_id": self.site_id,
            "start": self.range.local(self.range.start),
            "end": self.range.local(self.range.end),
            "timezone": self.range.timezone,
            "source": source,
            "as_of": as_of,
        }


async def rows(conn: AsyncConnection, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a query of sql/reports answers with."""
    async with conn.cursor(row_factory=dict_row) as cur:
        await cur.execute(QUERIES[f"reports/{query}"], parameters)
        return await cur.fetchall()


def share(part: int, whole: int) -> float | None:
    """What part of a whole this is, to six places; None of nothing."""
    return round(part / whole, 6) if whole else None
