"""GET /revenue as a table and over time; and what it refuses."""

import csv
from operator import itemgetter
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.apps.reports.test_revenue import MARCH, ask, order
from tests.builders.factories import batch
from tests.conftest import Connection


def test_a_series_has_a_point_for_each_currency(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    store_events(
        conn,
        batch(
            order(shop, "03-10", revenue=1, currency="EUR"),
            order(shop, "03-10", revenue=2, currency="EUR"),
            order(shop, "03-11", revenue=4, currency="USD"),
            order(shop, "03-11", "refund", revenue=3, currency="EUR"),
        ),
    )
    parameters = {"from": "2026-03-10", "to": "2026-03-12", "interval": "day", "timezone": "Europe/Berlin"}
    nothing = {"orders": 0, "revenue": "0", "refunds": 0, "refunded": "0"}
    tenth, eleventh = "2026-03-10T00:00:00+01:00", "2026-03-11T00:00:00+01:00"
    assert ask(reporting, shop, **parameters)["points"] == [
        nothing | {"at": tenth, "currency": "EUR", "orders": 2, "revenue": "3"},
        nothing | {"at": tenth, "currency": "USD"},
        nothing | {"at": eleventh, "currency": "EUR", "refunds": 1, "refunded": "3"},
        nothing | {"at": eleventh, "currency": "USD", "orders": 1, "revenue": "4"},
    ]
    table = reporting.get("/revenue", params={"site_id": shop, **parameters}, headers={"Accept": "text/csv"})
    assert table.text.splitlines()[:2] == ["at,currency,orders,revenue,refunds,refunded", f"{tenth},EUR,2,3,0,0"]


def test_in_a_table_each_currency_has_the_other_time_beside_it(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    store_events(
        conn,
        batch(
            order(shop, "03-10", revenue=1, currency="CHF"),
            order(shop, "03-10", revenue=2, currency="EUR"),
            order(shop, "03-11", revenue=3, currency="EUR"),
            order(shop, "03-11", revenue=4, currency="USD"),
        ),
    )
    parameters = {"site_id": shop, "from": "2026-03-11", "to": "2026-03-12", "compare": "previous_period"}
    table = reporting.get("/revenue", params=parameters, headers={"Accept": "text/csv"}).text
    columns = itemgetter("currency", "revenue", "compare_currency", "compare_revenue")
    assert [columns(row) for row in csv.DictReader(table.splitlines())] == [
        ("EUR", "3", "EUR", "2"),
        ("USD", "4", "", ""),
        ("", "", "CHF", "1"),
    ]


def test_a_table_of_points_has_no_other_time_and_says_so(reporting: httpx.Client, shop: str) -> None:
    parameters = {"site_id": shop, **MARCH, "interval": "day", "compare": "previous_period"}
    assert reporting.get("/revenue", params=parameters).json()["compare"] == []
    for media_type in ("text/csv", "application/x-ndjson"):
        answer = reporting.get("/revenue", params=parameters, headers={"Accept": media_type})
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["compare"]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"event_type": "x" * 101}, "event_type"),
        ({"event_type": "ü" * 51}, "event_type"),
        ({"event_type": "refund"}, "refund_type"),
        ({"event_type": ["a", "b"], "refund_type": ["c", "b"]}, "refund_type"),
        ({"interval": "hour"}, "interval"),
        ({"interval": "day", "from": "1990-01-01"}, "interval"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, Any], field: str) -> None:
    answer = reporting.get("/revenue", params={"site_id": "shop", **MARCH, **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_series_of_too_many_currencies_is_refused(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = [f"X{one}{two}" for one in letters[:14] for two in letters]
    store_events(conn, batch(*(order(shop, "03-10", revenue=1, currency=code) for code in codes)))
    answer = reporting.get("/revenue", params={"site_id": shop, **MARCH, "interval": "day"})
    assert answer.status_code == 400
    assert f"with {len(codes)} currencies" in answer.json()["errors"][0]["reason"]
    assert ask(reporting, shop, interval="day", filter="properties.currency:is:XAA")["points"][9]["orders"] == 1
