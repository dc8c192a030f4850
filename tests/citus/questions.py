"""What is asked of both databases: every report, by each of its ways to count, of ranges, filters and timezones."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from typing import Any, NamedTuple

from tests.citus.history import SITES


class Asked(NamedTuple):
    """A request."""

    path: str
    parameters: dict[str, Any]


def ranges(today: date) -> list[dict[str, str]]:
    """Days, weeks, months and years, whole and cut, up to today, in the past and in the future, and of instants."""

    def days(first: int, end: int) -> dict[str, str]:
        return {"from": f"{today - timedelta(days=first)}", "to": f"{today - timedelta(days=end)}"}

    return [
        {"date": f"{today - timedelta(days=1)}"},
        {"date": f"{today - timedelta(days=17)}"},
        {"date": f"{today + timedelta(days=3)}"},
        days(3, -1),
        days(9, 2),
        days(31, 1),
        days(75, 33),
        days(130, -1),
        days(161, 90),
        days(162, -1),
        {"from": f"{today - timedelta(days=6)}T05:00:00Z", "to": f"{today - timedelta(days=2)}T17:30:00Z"},
        {"from": f"{today - timedelta(days=40)}T04:00:00+05:30", "to": f"{today}T23:00:00Z"},
        {"from": f"{today - timedelta(days=2)}T11:22:33Z", "to": f"{today}T00:00:00Z"},
        *({"period": period} for period in ("today", "yesterday", "7d", "28d", "month", "12mo", "year", "all")),
    ]


FILTERS: list[list[str]] = [
    [],
    ["event_type:is:page_view|purchase"],
    ["event_type:is_not:click"],
    ["path:is:/products/*", "event_type:is:page_view"],
    ["path:contains_not:cart"],
    ["user_id:is:user 1|user 20|user 300"],
    ["user_id:is_not:user 1"],
    ["visitor_id:is_not:visitor 1"],
    ["properties.plan:is:paid", "properties.seats:gte:7"],
    ["properties.deep.colour:is_not:red"],
    ["properties.revenue:exists"],
]
COMPARED: list[dict[str, str]] = [{}, {}, {"compare": "previous_period"}, {"compare": "previous_year"}]
#: The reports and what each can be asked beside site, range, timezone and filters.
REPORTS: dict[str, list[dict[str, Any]]] = {
    "/stats": [{}],
    "/timeseries": [
        {"metric": metric, "interval": interval} if interval else {"metric": metric}
        for metric, interval in product(("events", "views", "users"), (None, "minute", "hour", "day", "week", "month"))
    ]
    + [
        {"metric": metric, "filter": filters}
        for metric in ("visits", "people", "orders", "revenue", "conversion", "average_order")
        for filters in ([], ["channel:is:Direct", "new:is:true"])
    ],
    "/breakdown": [
        {"dimension": dimension, "metrics": metrics, "search": search, "limit": limit}
        for dimension, metrics, search, limit in product(
            ("path", "event_type", "user_id", "properties.plan", "properties.deep.colour"),
            ("events", "events,users"),
            ("", "a"),
            (3, 100),
        )
    ]
    + [
        {"dimension": dimension, "metrics": "visits,people,views,bounces,carts,orders,revenue", "filter": filters}
        for dimension in ("source", "device", "landing", "exit", "new")
        for filters in ([], ["device:is_not:mobile", "landing:is:/products/*"])
    ],
    "/sessions": [{}, {"limit": 3}],
    "/journeys": [
        {"path": path, "direction": direction, "steps": steps}
        for path, direction, steps in product(("/", "/products/7", "/nowhere"), ("from", "to"), (1, 3, 5))
    ],
    "/funnel": [
        {"step": steps, "window": window}
        for steps, window in product(
            (
                ["page_view", "purchase"],
                ["page_view", "click|search", "purchase|Order Completed"],
                ["sign_up", "page_view", "page_view", "click", "purchase"],
                ["page_view;path:is:/products/*", "purchase;properties.currency:is:EUR"],
            ),
            ("30m", "1d", "7d", "90d"),
        )
    ],
    "/retention": [{}, {"interval": "week"}, {"interval": "day", "periods": 3}, {"interval": "week", "periods": 30}],
    "/revenue": [
        {},
        {"interval": "day"},
        {"interval": "month", "limit": 3},
        {"event_type": "purchase", "interval": "week"},
    ],
    "/customers": [{}, {"interval": "week"}, {"currency": "EUR", "event_type": "purchase"}],
    "/customers/cohorts": [{}, {"months": 2}],
    "/customers/best": [{}, {"limit": 100, "currency": "EUR"}],
    "/products": [{}, {"by": "category", "limit": 100}, {"order_by": "views", "view_type": "page_view"}],
    "/events": [{"limit": 100}, {"limit": 7}],
    "/events/export": [{}],
    "/users/user%201": [{}, {"order": "oldest", "limit": 20}],
    "/users/user%2020": [{}],
}
COMPARABLE = {"/timeseries", "/breakdown", "/sessions", "/funnel", "/revenue", "/customers"}


def questions(today: date, *, count: int, seed: int = 3) -> Iterator[Asked]:
    """So many, by chance, as many of each report; those of all sites first."""
    for search, limit in product(("", "on", "x"), (1, 3, 100)):
        yield Asked("/sites", {"search": search, "limit": limit})
    choose = random.Random(seed)
    spans = ranges(today)
    for number in range(count):
        path = list(REPORTS)[number % len(REPORTS)]
        asked = {"site_id": choose.choice([*SITES, "never-seen"]), **choose.choice(REPORTS[path])}
        if path == "/stats":
            asked |= choose.choice([{}, *(span for span in spans if "date" in span)])
            yield Asked(path, asked)
            continue
        asked |= choose.choice(spans)
        if choose.random() < 0.25:
            asked["timezone"] = choose.choice(["UTC", "Asia/Kathmandu", "America/New_York"])
        asked.setdefault("filter", choose.choice(FILTERS) if choose.random() < 0.6 else [])
        if path in COMPARABLE:
            asked |= choose.choice(COMPARED)
        yield Asked(path, asked)
