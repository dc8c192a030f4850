"""GET /revenue against a naive count, from events and from rollups."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from db.events.event import ReceivedEvent
from tests.apps.reports.test_revenue import ask, sales
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, bucket, kept, midnight, within


@examples(25)
@given(
    sales,
    st.sampled_from(ZONES),
    st.booleans(),
    st.sampled_from([None, "/done"]),
    st.sampled_from(["day", "week", "month"]),
    st.randoms(use_true_random=False),
)
def test_it_equals_a_naive_count(
    conn: Connection,
    reporting: httpx.Client,
    history: Any,
    zone: str,
    of_site: bool,
    path: str | None,
    interval: str,
    order: Random,
) -> None:
    site, stored = kept(conn, history, timezone=zone if of_site else "UTC", flushes=order)
    first, last = midnight(2026, 3, 8, zone), midnight(2026, 3, 31, zone)
    parameters = {"filter": f"path:is:{path}"} if path else {}
    report = ask(
        reporting, site, **{"from": "2026-03-08", "to": "2026-03-31"}, timezone=zone, interval=interval, **parameters
    )

    counted: dict[tuple[datetime, str], list[Any]] = defaultdict(lambda: [0, Decimal(), 0, Decimal()])
    seen: set[str] = set()
    outcomes = {"counted": 0, "repeated": 0, "ignored": 0}
    for one in sorted(stored, key=lambda one: (one.timestamp, one.event_id)):
        if one.event_type == "page_view":
            continue
        outcome, key = judge(one, seen)
        if within([one], first, last) and path in (None, one.path):
            outcomes[outcome] += 1
            if outcome == "counted":
                place = 2 if one.event_type == "refund" else 0
                point = counted[bucket(one.timestamp, interval, zone), key]
                point[place] += 1
                point[place + 1] += abs(Decimal(str((one.properties or {})["revenue"])))
    found = {
        (datetime.fromisoformat(point["at"]), point["currency"]): [
            point["orders"], Decimal(point["revenue"]), point["refunds"], Decimal(point["refunded"]),
        ]
        for point in report["points"]
        if point["orders"] or point["refunds"]
    }  # fmt: skip
    assert found == counted
    totals = {name: [0, Decimal(), 0, Decimal()] for _, name in counted}
    for (_, name), point in counted.items():
        totals[name] = [one + other for one, other in zip(totals[name], point, strict=True)]
    assert {
        one["currency"]: [one["orders"], Decimal(one["revenue"]), one["refunds"], Decimal(one["refunded"])]
        for one in report["currencies"]
    } == totals
    assert report["repeated"] == outcomes["repeated"]
    assert sum(one["count"] for one in report["ignored"] if one["what"] != "product") == outcomes["ignored"]
    assert report["source"] == ("events" if path or (zone != "UTC" and not of_site) else "rollups")


def judge(event: ReceivedEvent, seen: set[str]) -> tuple[str, str]:
    """What becomes of an order or refund, and its currency; `seen` are the ids of the orders before it."""
    properties = event.properties or {}
    revenue, currency = properties.get("revenue"), str(properties.get("currency") or "").upper()
    if revenue in (None, "?") or not currency or (revenue == -1 and event.event_type != "refund"):
        return "ignored", currency
    if event.event_type == "refund" or not (order_id := str(properties.get("order_id", ""))):
        return "counted", currency
    if order_id in seen:
        return "repeated", currency
    seen.add(order_id)
    return "counted", currency
