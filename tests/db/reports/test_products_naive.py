"""GET /products against a naive count."""

from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.db.reports.test_revenue_naive import judge
from tests.oracles.naive import kept, midnight, times, within

LINES = [
    {"sku": "lamp", "category": "light", "price": 1.10, "quantity": 2},
    {"sku": "lamp", "category": "light", "brand": "x", "price": 1},
    {"sku": "desk", "brand": "x", "price": 3},
    {"sku": "desk", "category": " ", "price": "?"},
    {"price": 1},
]
KINDS = ["view_item", "view_item", "add_to_cart", "begin_checkout", "purchase", "refund"]
COUNTS = ("views", "viewers", "carts", "checkouts", "orders", "buyers")
MONEY = ("quantity", "revenue", "returned", "refunded")

histories = st.lists(
    st.fixed_dictionaries(
        {
            "event_type": st.sampled_from(KINDS),
            "user_id": st.sampled_from([None, "ann", "bob", "eve"]),
            "timestamp": times,
            "properties": st.fixed_dictionaries(
                {"revenue": st.sampled_from([1, 30, "?"]), "currency": st.sampled_from(["EUR", "USD"])},
                optional={
                    "order_id": st.sampled_from(["1", "2", "3", "4"]),
                    "products": st.lists(st.sampled_from(LINES), max_size=3),
                },
            ),
        }
    ),
    max_size=30,
)  # fmt: skip


@examples(25)
@given(histories, st.sampled_from(["product", "category", "brand"]), st.randoms(use_true_random=False))
def test_it_equals_a_naive_count(
    conn: Connection, reporting: httpx.Client, history: Any, by: str, order: Random
) -> None:
    site, stored = kept(conn, history, flushes=order)
    asked: dict[str, Any] = {
        "site_id": site,
        "from": "2026-03-08",
        "to": "2026-03-31",
        "by": by,
        "limit": 100,
        "currency": "EUR",
    }
    answer = reporting.get("/products", params=asked)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    first, last = midnight(2026, 3, 8, "UTC"), midnight(2026, 3, 31, "UTC")
    counts: dict[Any, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0) | dict.fromkeys(MONEY, Decimal()))
    people: dict[tuple[str, Any], set[str]] = defaultdict(set)
    seen: set[str] = set()
    others: list[Any] = [0, Decimal()]
    for one in sorted(stored, key=lambda one: (one.timestamp, one.event_id)):
        sold = one.event_type in ("purchase", "refund")
        outcome, currency = judge(one, seen) if sold else ("counted", "EUR")
        if outcome != "counted" or not within([one], first, last):
            continue
        properties = one.properties or {}
        lines = [line for line in properties.get("products", []) if line.get("sku")]
        priced = [line for line in lines if line["price"] != "?"]
        if one.event_type == "refund" and not lines and currency == "EUR":
            others = [others[0] + 1, others[1] + Decimal(str(properties["revenue"]))]
        for value in {name_of(line, by) for line in (priced if one.event_type == "purchase" else lines)}:
            own = [line for line in lines if name_of(line, by) == value]
            count_event(counts[value], one.event_type, currency, own)
            if one.user_id:
                people[one.event_type, value].add(one.user_id)
    for value, found in counts.items():
        found["viewers"] = len(people["view_item", value])
        found["buyers"] = len(people["purchase", value])
    rows = report["rows"] + [report["without_value"]] * bool(report["without_value"])
    assert {row["value"]: {name: row[name] for name in COUNTS} | {name: Decimal(row[name]) for name in MONEY}
            for row in rows} == counts  # fmt: skip
    for row in rows:
        viewers, buyers = people["view_item", row["value"]], people["purchase", row["value"]]
        assert row["conversion"] == (round(len(viewers & buyers) / len(viewers), 6) if viewers else None)
    assert [report["other_refunds"], Decimal(report["other_refunded"])] == others
    assert rows[: len(report["rows"])] == sorted(report["rows"], key=lambda row: -Decimal(row["revenue"]))


def name_of(line: dict[str, Any], by: str) -> str | None:
    return str(line.get({"product": "sku"}.get(by, by)) or "").strip() or None


def count_event(found: dict[str, Any], kind: str, currency: str, lines: list[dict[str, Any]]) -> None:
    quantities = [Decimal(line.get("quantity", 1)) for line in lines]
    priced = [line for line in lines if line["price"] != "?"]
    amount = sum((Decimal(str(line["price"])) * line.get("quantity", 1) for line in priced), Decimal())
    if kind in ("view_item", "add_to_cart", "begin_checkout"):
        found[{"view_item": "views", "add_to_cart": "carts", "begin_checkout": "checkouts"}[kind]] += 1
    elif currency == "EUR" and kind == "purchase":
        found["orders"] += 1
        found["quantity"] += sum((Decimal(line.get("quantity", 1)) for line in priced), Decimal())
        found["revenue"] += amount
    elif currency == "EUR":
        found["returned"] += sum(quantities, Decimal())
        found["refunded"] += amount
