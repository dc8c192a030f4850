"""Every report asked, in each form, of the two sites `SITES`: what databases are compared by."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx

SITE, SITES = "shop'\\ ✓", ("shop'\\ ✓", "other")
RANGE = {"site_id": SITE, "from": "2026-02-01", "to": "2026-04-01"}
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("/stats", {"site_id": SITE, "date": "2026-03-10"}),
    ("/stats", {"site_id": SITE}),
    *[
        ("/timeseries", RANGE | {"metric": metric, "interval": interval} | more)
        for metric in ("events", "views", "users")
        for interval in ("hour", "day", "week", "month")
        for more in ({}, {"filter": "path:is:/1"}, {"timezone": "Asia/Tokyo"})
        if interval != "hour" or not more
    ],
    ("/timeseries", {"site_id": SITE, "date": "2026-03-10", "interval": "minute", "compare": "previous_period"}),
    *[
        ("/breakdown", RANGE | {"dimension": dimension, "metrics": "events,users"})
        for dimension in ("path", "event_type", "user_id", "properties.revenue", "properties.note")
    ],
    ("/breakdown", {"site_id": SITE, "date": "2026-03-10", "dimension": "path"}),
    ("/breakdown", RANGE | {"dimension": "path", "filter": "path:contains:ı|I|✓"}),
    *[
        ("/breakdown", RANGE | {"dimension": dimension, "metrics": "visits,people,views,bounces,orders,revenue"})
        for dimension in ("source", "channel", "device", "landing", "new")
    ],
    *[("/timeseries", RANGE | {"metric": metric, "interval": "week"}) for metric in ("visits", "people", "revenue")],
    ("/timeseries", RANGE | {"metric": "conversion", "interval": "day", "filter": "landing:is:/1"}),
    *[("/revenue", RANGE | more) for more in ({}, {"interval": "day"}, {"filter": "properties.revenue:gte:3"})],
    *[(f"/customers{path}", RANGE) for path in ("", "/cohorts", "/best")],
    ("/customers", RANGE | {"interval": "week", "currency": "EUR", "filter": "properties.revenue:gte:3"}),
    *[("/products", RANGE | {"by": by}) for by in ("product", "category", "brand")],
    ("/products", RANGE | {"order_by": "views", "view_type": "page_view", "filter": "properties.note:exists"}),
    ("/events", RANGE | {"limit": "50"}),
    ("/events/export", RANGE),
    *[("/funnel", RANGE | {"step": ["page_view", step], "window": "7d"}) for step in ("click", "click;path:is:/2")],
    *[("/retention", RANGE | {"interval": interval}) for interval in ("day", "week")],
    ("/retention", RANGE | {"interval": "week", "filter": "path:is:/1"}),
    ("/sessions", RANGE),
    ("/sessions", RANGE | {"filter": "path:is:/1"}),
    *[("/journeys", RANGE | {"path": "/1", "steps": "3", "direction": direction}) for direction in ("from", "to")],
    ("/users/1", RANGE),
    ("/sites", {}),
    ("/dead-letters", {}),
    ("/accounting", {"from": "2026-01-01", "to": "2026-12-31"}),
]
#: What has no rows that are a table.
JSON_ONLY = ("/stats", "/dead-letters", "/accounting")
#: What is of the moment at which something was done.
OF_THE_MOMENT = {"as_of", "stored_at", "failed_at", "changed_at"}


def answers(url: str) -> Iterator[tuple[str, int, Any]]:
    """What is answered to each question, in each form."""
    with httpx.Client(base_url=url, timeout=60) as client:
        for path, parameters in QUESTIONS:
            whole = "application/x-ndjson" if path == "/events/export" else "application/json"
            for media_type in (whole,) if path in JSON_ONLY else (whole, "text/csv"):
                answer = client.get(path, params=parameters, headers={"accept": media_type})
                yield f"{path} {parameters} {media_type}", answer.status_code, comparable(answer)


def comparable(answer: httpx.Response) -> Any:
    if answer.headers["content-type"].startswith("text/csv"):
        return [
            {name: value for name, value in row.items() if name not in OF_THE_MOMENT}
            for row in csv.DictReader(io.StringIO(answer.text))
        ]
    lines = answer.text.splitlines() if "ndjson" in answer.headers["content-type"] else [answer.text]
    return [without_the_moment(json.loads(line)) for line in lines]


def without_the_moment(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_the_moment(each) for name, each in value.items() if name not in OF_THE_MOMENT}
    return [without_the_moment(each) for each in value] if isinstance(value, list) else value
