"""The filters of reports: which events they keep, whatever the types of their properties."""

from typing import Any

import httpx
import pytest

from db.store import store_events
from tests.conftest import Connection
from tests.factories import batch, received

PROPERTIES: list[dict[str, Any]] = [{"seats": 5}, {"seats": 6}, {"seats": "6"}, {"seats": "x"}, {}]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("properties.seats:is:5", 1),
        ("properties.seats:is:6", 2),
        ("properties.seats:is:5|x", 2),
        ("properties.seats:is_not:5", 4),
        ("properties.seats:is_not:6", 3),
        ("properties.seats:is_not:none", 5),
        ("properties.seats:contains:x", 1),
        ("properties.seats:contains_not:x", 4),
        ("properties.seats:gte:5", 3),
        ("properties.seats:lt:6", 1),
        ("properties.seats:exists", 4),
        ("properties.seats:missing", 1),
    ],
)
def test_an_event_is_kept_or_it_is_not(
    conn: Connection, reporting: httpx.Client, shop: str, condition: str, kept: int
) -> None:
    store_events(conn, batch(*(received(shop, properties=properties) for properties in PROPERTIES)))
    asked = {"site_id": shop, "date": "2026-03-10", "interval": "day", "filter": condition}
    assert reporting.get("/timeseries", params=asked).json()["points"][0]["value"] == kept


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("properties.a:is:007", 200),
        ("properties.a:gt:007", 400),
        ("properties.a:is:-0", 200),
        ("properties.a:is:\x07\\\"'%s", 200),
        ("properties.ä😀:is:😀", 200),
        ("properties..:exists", 200),
        ("properties.a:contains:|", 200),
        ("properties." + ".".join("a" * 90) + ":exists", 200),
        ("path:is:***:(a", 200),
        ("path:is:/a\nb", 200),
        ("path:contains:\\", 200),
        ("path:contains:" + "(" * 5_000, 200),
        ("path:is:" + "|".join(f"/products/{number}" for number in range(3_000)), 200),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_odd_value_is_answered_or_refused(
    conn: Connection, reporting: httpx.Client, shop: str, condition: str, status: int
) -> None:
    store_events(conn, batch(received(shop, properties={"a": "x"})))
    answer = reporting.get("/timeseries", params={"site_id": shop, "date": "2026-03-10", "filter": condition})
    assert answer.status_code == status, answer.text
