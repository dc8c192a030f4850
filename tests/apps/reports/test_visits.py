"""Visits in /breakdown and /timeseries: one visit from a newsletter to an order; what cannot be asked is refused."""

from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

DAY = {"date": "2026-03-10"}
NEWS = {"origin": {"source": "news", "medium": "email", "channel": "Email"}, "agent": {"device": "mobile"}}


@pytest.fixture
def sold(conn: Connection, shop: str, other: str) -> str:
    """A visit from a newsletter that ends with an order, one that comes directly, and others that do not count."""
    order = {"event_type": "purchase", "properties": {"revenue": 119.9, "currency": "EUR", "order_id": "1"}}

    def at(site: str, time: str, **fields: Any) -> Any:
        return received(site, timestamp=f"2026-03-{time}:00Z", **fields)

    store_events(
        conn,
        batch(
            at(shop, "10T10:00", user_id="ann", path="/sale/lamp", **NEWS),
            at(shop, "10T10:10", user_id="ann", event_type="add_to_cart"),
            at(shop, "10T10:20", user_id="ann", path="/thanks", **order),
            at(shop, "11T10:20", user_id="ann", path="/thanks", **order),  # the same order again
            at(shop, "10T12:00", user_id="bob"),
            at(shop, "10T12:00"),  # nobody
            at(other, "10T12:00", user_id="ann", **NEWS),
        ),
    )
    return shop


def test_a_visit_keeps_its_source_its_order_and_its_pages(reporting: httpx.Client, sold: str) -> None:
    asked = {"site_id": sold, "dimension": "source", **DAY}
    metrics = "visits,people,views,bounces,carts,checkouts,orders,revenue,conversion,average_order"
    report = reporting.get("/breakdown", params=asked | {"metrics": metrics}).json()
    assert report["rows"] == [
        {
            "value": "news", "share": 0.5, "visits": 1, "people": 1, "views": 1, "bounces": 0, "carts": 1,
            "checkouts": 0, "orders": 1, "revenue": "119.9", "conversion": 1.0, "average_order": "119.9",
        }
    ]  # fmt: skip
    assert (report["currency"], report["currencies"], report["values"]) == ("EUR", ["EUR"], 1)
    assert (report["total"]["visits"], report["without_value"]["visits"]) == (2, 1)
    for dimension, values in {
        "channel": ["Direct", "Email"],
        "landing": ["/", "/sale/lamp"],
        "exit": ["/", "/thanks"],
        "device": ["mobile"],
        "new": ["true"],
        "country": [],
    }.items():
        report = reporting.get("/breakdown", params=asked | {"dimension": dimension}).json()
        assert [row["value"] for row in report["rows"]] == values
    table = reporting.get("/breakdown", params=asked | {"metrics": "visits,revenue", "format": "csv"}).text
    assert table.splitlines() == ["value,share,visits,revenue", "news,0.5,1,119.9"]
    compared = asked | {"date": "2026-03-11", "dimension": "landing", "compare": "previous_period", "format": "csv"}
    assert reporting.get("/breakdown", params=compared).text.splitlines() == [
        "value,share,visits,compare_value,compare_share,compare_visits",
        "/thanks,1.0,1,/thanks,0.0,0",
    ]


def test_a_filter_of_visits_keeps_whole_visits(reporting: httpx.Client, sold: str) -> None:
    for text, orders in {"source:is:news": 1, "landing:is:/sale/*": 1, "device:missing": 0, "new:is:false": 0}.items():
        for metric in ("orders", "conversion"):
            asked = {"site_id": sold, "metric": metric, "interval": "day", "filter": text} | DAY
            (point,) = reporting.get("/timeseries", params=asked).json()["points"]
            assert point["value"] == (orders or (None if metric == "conversion" and text == "new:is:false" else 0))


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        ("/breakdown", {"dimension": "source", "metrics": "events"}, "metrics"),
        ("/breakdown", {"dimension": "path", "metrics": "visits"}, "metrics"),
        ("/breakdown", {"dimension": "path", "order_by": "visits"}, "order_by"),
        ("/breakdown", {"dimension": "path", "currency": "EUR"}, "currency"),
        ("/breakdown", {"dimension": "path", "filter": "source:is:news"}, "filter"),
        ("/breakdown", {"dimension": "source", "filter": "path:is:/"}, "filter"),
        ("/breakdown", {"dimension": "source", "filter": "source:gt:1"}, "filter"),
        ("/breakdown", {"dimension": "source", "filter": "new:is:perhaps"}, "filter"),
        ("/breakdown", {"dimension": "source", "filter": ["source:is:a", "source:is:b"]}, "filter"),
        ("/breakdown", {"dimension": "source", "order_by": "clicks"}, "order_by"),
        ("/timeseries", {"metric": "visits", "filter": "path:is:/"}, "filter"),
        ("/timeseries", {"metric": "events", "currency": "EUR"}, "currency"),
        ("/timeseries", {"metric": "revenue", "currency": "euro"}, "currency"),
        *(
            (path, {"filter": "source:is:news"}, "filter")
            for path in ("/sessions", "/revenue", "/events", "/retention")
        ),
        ("/funnel", {"step": ["a", "b"], "filter": "source:is:news"}, "filter"),
        ("/journeys", {"path": "/", "filter": "source:is:news"}, "filter"),
        ("/customers", {"filter": "source:is:news"}, "filter"),
        ("/customers/cohorts", {"filter": "source:is:news"}, "filter"),
        ("/customers/best", {"filter": "source:is:news"}, "filter"),
        ("/products", {"filter": "source:is:news"}, "filter"),
        ("/live", {"filter": "source:is:news"}, "filter"),
        ("/live/stream", {"filter": "source:is:news"}, "filter"),
        ("/events/export", {"filter": "source:is:news"}, "filter"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    reporting: httpx.Client, sold: str, path: str, asked: dict[str, Any], field: str
) -> None:
    answer = reporting.get(path, params={"site_id": sold} | asked)
    assert answer.status_code == 400, answer.text
    errors = answer.json()["errors"]
    assert field in [error["field"] for error in errors]
    if asked.get("filter") == "source:is:news":
        assert "source is of visits" in str(errors)
