"""Amounts are shown with the digits of their currency; sums are exact."""

from decimal import Decimal

import httpx
import pytest

from db.reports.shared.currencies import DIGITS, ISO_4217, average, shown
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("214.2093", "EUR", "214.21"),
        ("0.005", "EUR", "0.01"),
        ("0.0049", "EUR", "0"),
        ("119.90", "EUR", "119.9"),
        ("1000", "EUR", "1000"),
        ("999.5", "JPY", "1000"),
        ("999.4", "JPY", "999"),
        ("1.2345", "KWD", "1.235"),
        ("1.23456", "CLF", "1.2346"),
        ("0.00000001", "BTC", "0.00000001"),
        (f"{'9' * 60}.005", "EUR", f"{'9' * 60}.01"),
        (f"{'9' * 60}.995", "EUR", f"1{'0' * 60}"),
        (f"0.{'0' * 60}1", "EUR", "0"),
        (f"1{'0' * 60}", "JPY", f"1{'0' * 60}"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(amount: str, currency: str, text: str) -> None:
    assert shown(amount, currency) == text


def test_an_average_is_rounded_once() -> None:
    assert average("9.99499", 1, "EUR") == "9.99"  # and not 9.995, and then 10
    assert average("119.9", 12, "EUR") == "9.99"
    assert average("10", 3, "JPY") == "3"
    assert average("1", 3, "BTC") == "0.3333"
    assert average(f"{'9' * 60}", 1, "EUR") == "9" * 60
    assert average("0", 0, "EUR") is None


def test_each_currency_is_listed_once() -> None:
    assert len(DIGITS) == sum(len(codes.split()) for codes in ISO_4217.values()) > 150
    assert all(len(code) == 3 and code.isupper() for code in DIGITS)


def test_sums_are_of_exact_amounts_and_only_what_is_shown_is_rounded(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    amounts = {"EUR": "0.0049", "JPY": "0.4", "KWD": "0.0004"}
    products = [{"product_id": "lamp", "price": 0.0049}]
    store_events(
        conn,
        batch(
            *(
                received(
                    shop,
                    event_type=event_type,
                    properties={
                        "revenue": amount,
                        "currency": currency,
                        "order_id": f"{currency}{number}",
                        "products": products,
                    },
                )
                for currency, amount in amounts.items()
                for event_type in ("purchase", "refund")
                for number in range(3)
            )
        ),
    )
    exact = {"EUR": ("0.01", "0"), "JPY": ("1", "0"), "KWD": ("0.001", "0")}
    for source in ({}, {"filter": "path:contains:/"}):  # from rollups, and from events
        asked = {"site_id": shop, "date": "2026-03-10", "interval": "day", **source}
        report = reporting.get("/revenue", params=asked).json()
        for one in [*report["currencies"], *report["points"]]:
            total, each = exact[one["currency"]]
            assert one["revenue"] == one["refunded"] == total
            assert one.get("average_order_value", each) == each
        assert {Decimal(one["revenue"]) for one in report["products"] if one["currency"] == "EUR"} == {Decimal("0.01")}
