"""What the benchmark of the reports asks: of us by HTTP, of the others in their own SQL, about the same events."""

from typing import Any, NamedTuple

#: The baseline's way, from its own table: https schema in its README; a day is one of UTC.
BASELINE_DAY = "event_time::date between %(first)s and %(last)s"


class Asked(NamedTuple):
    """One question: our path and parameters, and SQL for the baseline, DuckDB and ClickHouse, where they are asked."""

    name: str
    path: str
    parameters: dict[str, Any]
    sql: str | None = None
    """For all three; {day} is how each writes the day of an event."""


QUESTIONS = [
    Asked(
        "stats",
        "/stats",
        {},
        """
        select count(*) filter (where event_type = 'page_view'), count(distinct user_id)
        from events where site_id = 'shop-0' and {range}
        """,
    ),
    Asked(
        "timeseries of views",
        "/timeseries",
        {"metric": "views", "interval": "day"},
        """
        select {day} as day, count(*) from events
        where site_id = 'shop-0' and event_type = 'page_view' and {range} group by 1 order by 1
        """,
    ),
    Asked(
        "timeseries of users",
        "/timeseries",
        {"metric": "users", "interval": "day"},
        """
        select {day} as day, count(distinct user_id) from events
        where site_id = 'shop-0' and {range} group by 1 order by 1
        """,
    ),
    Asked(
        "breakdown by path",
        "/breakdown",
        {"dimension": "path"},
        """
        select path, count(*) as events from events
        where site_id = 'shop-0' and {range} group by 1 order by 2 desc, 1 limit 10
        """,
    ),
    Asked(
        "breakdown by event type",
        "/breakdown",
        {"dimension": "event_type"},
        """
        select event_type, count(*), count(distinct user_id) from events
        where site_id = 'shop-0' and {range} group by 1 order by 2 desc
        """,
    ),
    Asked(
        "retention by day",
        "/retention",
        {"interval": "day"},
        """
        with days as (
            select distinct user_id, {day} as day from events where site_id = 'shop-0' and user_id is not null
        ),
        firsts as (select user_id, min(day) as first from days group by 1)
        select first, day, count(*) from firsts join days using (user_id)
        where first between {first} and {last} group by 1, 2 order by 1, 2
        """,
    ),
    Asked("funnel", "/funnel", {"step": ["event_type:is:page_view", "event_type:is:click", "event_type:is:purchase"]}),
    Asked("sessions", "/sessions", {}),
    Asked("journeys", "/journeys", {"path": "/products/0"}),
    Asked("revenue", "/revenue", {}),
    Asked("events", "/events", {"limit": 100}),
]
