"""GET /customers, /customers/cohorts and /customers/best: by hand."""

from typing import Any

import httpx
import pytest

from db.events.event import ReceivedEvent
from db.store.events import store_events
from tests.apps.reports.test_revenue import order
from tests.builders.factories import batch, received
from tests.conftest import Connection

YEAR = {"from": "2026-01-01", "to": "2027-01-01"}


def bought(site: str, day: str, user: str | None, amount: Any, /, **properties: Any) -> ReceivedEvent:
    given = {"revenue": amount, "currency": "EUR"} | properties
    kind = given.pop("event_type", "Order Completed")
    return received(site, event_type=kind, timestamp=f"2026-{day}T12:00:00Z", user_id=user, properties=given)


@pytest.fixture
def site(conn: Connection, shop: str, other: str) -> str:
    """Ann orders in January, February and March, Bob in February; Eve in dollars; somebody without a name."""
    store_events(
        conn,
        batch(
            bought(shop, "01-10", "ann", 10, order_id="1"),
            bought(shop, "01-11", "ann", 10, order_id="1"),  # sent again
            bought(shop, "02-09", "ann", 20.5, order_id="2"),
            bought(shop, "03-20", "ann", "30", order_id="3"),
            bought(shop, "02-01", "bob", 7, order_id="4"),
            bought(shop, "02-02", "bob", "?", order_id="5"),  # cannot be counted
            bought(shop, "02-03", "eve", 100, order_id="6", currency="USD"),
            bought(shop, "02-04", None, 3, order_id="7"),
            bought(shop, "03-01", None, 5.25, order_id="2", event_type="Order Refunded"),  # by the server: Ann's
            bought(shop, "03-02", "bob", -1, event_type="refund"),
            received(shop, user_id="zoë", timestamp="2026-01-01T00:00:00Z"),  # orders nothing
            bought(other, "01-05", "ann", 1000, order_id="1"),
        ),
    )
    return shop


def ask(reporting: httpx.Client, path: str, site: str, **parameters: Any) -> dict[str, Any]:
    answer = reporting.get(path, params={"site_id": site, **YEAR, **parameters})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    assert report["source"] == "events"
    return report


def test_new_and_returning_customers(reporting: httpx.Client, site: str) -> None:
    report = ask(reporting, "/customers", site, **{"from": "2026-02-01", "to": "2026-04-01"}, interval="month")
    assert report["summary"] == {
        "customers": 3,
        "new": 2,
        "returning": 1,
        "repeat_customers": 1,
        "repeat_rate": 0.333333,
        "orders": 5,
        "anonymous_orders": 1,
        "median_days_to_second": 30.0,
    }
    names = ("customers", "new", "returning", "orders")
    assert [[point[name] for name in names] for point in report["points"]] == [[3, 2, 1, 4], [1, 0, 1, 1]]
    assert report["orders_per_customer"] == [{"orders": 1, "customers": 2}, {"orders": 2, "customers": 1}]
    assert report["days_to_second"] == [{"days": 30, "customers": 1}]
    euros, dollars = report["currencies"]
    assert euros == {
        "currency": "EUR", "customers": 2, "orders": 4, "revenue": "60.5", "first_orders": 1, "first_revenue": "7",
        "repeat_orders": 2, "repeat_revenue": "50.5", "refunds": 2, "refunded": "6.25", "net": "51.25",
        "value_per_customer": "25.63",
    }  # fmt: skip
    assert (dollars["currency"], dollars["first_revenue"], dollars["value_per_customer"]) == ("USD", "100", "100")


def test_one_currency_and_filters_say_which_orders_there_are(
    reporting: httpx.Client, conn: Connection, site: str
) -> None:
    report = ask(reporting, "/customers", site, currency="USD")
    assert (report["summary"]["customers"], [one["currency"] for one in report["currencies"]]) == (1, ["USD"])
    report = ask(reporting, "/customers", site, filter="user_id:is:ann")
    assert (report["summary"]["new"], report["summary"]["orders"]) == (1, 3)
    report = ask(reporting, "/customers", site, event_type="purchase")
    assert report["summary"]["customers"] == 0


def test_it_is_compared(reporting: httpx.Client, site: str) -> None:
    asked = {"from": "2026-02-01", "to": "2026-03-01", "compare": "previous_period"}
    report = ask(reporting, "/customers", site, **asked)
    assert (report["summary"]["customers"], report["compare"]["customers"]) == (3, 1)
    refused = reporting.get("/customers", params={"site_id": site, **asked, "format": "csv"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "compare")


def test_what_a_cohort_is_worth(reporting: httpx.Client, site: str) -> None:
    report = ask(reporting, "/customers/cohorts", site, months=2)
    found = {(one["cohort"], one["currency"]): one for one in report["cohorts"]}
    assert {key: one["customers"] for key, one in found.items()} == {
        ("2026-01-01", "EUR"): 1,
        ("2026-02-01", "EUR"): 1,
        ("2026-02-01", "USD"): 1,
    }
    months = found["2026-01-01", "EUR"]["months"]
    names = ("month", "customers", "orders", "revenue", "refunded", "net", "lifetime_value")
    assert [[month[name] for name in names] for month in months] == [
        [0, 1, 1, "10", "0", "10", "10"],
        [1, 1, 1, "20.5", "0", "20.5", "30.5"],
        [2, 1, 1, "30", "5.25", "24.75", "55.25"],
    ]
    assert [month["lifetime_value"] for month in found["2026-02-01", "EUR"]["months"]][:2] == ["7", "6"]
    # One cohort and no month after it; what follows a range is followed past its end.
    report = ask(reporting, "/customers/cohorts", site, **{"from": "2026-01-01", "to": "2026-02-01"}, months=1)
    (cohort,) = report["cohorts"]
    assert [month["net"] for month in cohort["months"]] == ["10", "20.5"]
    text = reporting.get("/customers/cohorts", params={"site_id": site, **YEAR, "months": 0, "format": "csv"}).text
    assert text.splitlines()[1] == "2026-01-01,EUR,1,0,1,1,10,0,10,10"


def test_the_best_customers(reporting: httpx.Client, site: str) -> None:
    report = ask(reporting, "/customers/best", site, limit=1)
    assert report["totals"] == [{"currency": "EUR", "customers": 2}, {"currency": "USD", "customers": 1}]
    ann, eve = report["customers"]
    assert ann == {
        "currency": "EUR", "rank": 1, "user_id": "ann", "orders": 3, "revenue": "60.5", "refunds": 1,
        "refunded": "5.25", "net": "55.25", "first_order": "2026-01-10T12:00:00Z", "last_order": "2026-03-20T12:00:00Z",
    }  # fmt: skip
    assert (eve["user_id"], eve["net"]) == ("eve", "100")
    report = ask(reporting, "/customers/best", site, **{"from": "2026-02-01", "to": "2026-03-01"}, currency="EUR")
    assert [(one["user_id"], one["net"], one["first_order"][:7]) for one in report["customers"]] == [
        ("ann", "20.5", "2026-01"),
        ("bob", "7", "2026-02"),
    ]


def test_an_empty_site_has_nobody(reporting: httpx.Client, shop: str) -> None:
    report = ask(reporting, "/customers", shop, interval="month")
    assert report["summary"] | {"repeat_rate": 0, "median_days_to_second": 0} == dict.fromkeys(report["summary"], 0)
    assert (report["summary"]["repeat_rate"], len(report["points"])) == (None, 12)
    assert ask(reporting, "/customers/cohorts", shop)["cohorts"] == []
    assert ask(reporting, "/customers/best", shop)["customers"] == []


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        ("/customers", {"interval": "hour"}, "interval"),
        ("/customers", {"from": "1950-01-01", "to": "2026-01-01", "interval": "day"}, "interval"),
        ("/customers", {"currency": "euro"}, "currency"),
        ("/customers", {"refund_type": "purchase"}, "refund_type"),
        ("/customers/cohorts", {"months": 37}, "months"),
        ("/customers/best", {"limit": 0}, "limit"),
    ],
)
def test_a_bad_value_is_named(
    reporting: httpx.Client, shop: str, path: str, parameters: dict[str, Any], field: str
) -> None:
    answer = reporting.get(path, params={"site_id": shop, **YEAR, **parameters})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_an_order_whose_counting_event_is_not_the_ranges_is_none(
    reporting: httpx.Client, conn: Connection, shop: str
) -> None:
    """As in GET /revenue, also where the first event does not match."""
    store_events(
        conn,
        batch(
            order(shop, "03-10", order_id="1", revenue=1, currency="EUR", plan="free"),
            order(shop, "03-11", order_id="1", revenue=1, currency="EUR", plan="paid"),
        ),
    )
    report = ask(reporting, "/customers", shop, filter="properties.plan:is:paid")
    assert report["summary"]["orders"] == 0
