"""GET /customers, /customers/cohorts and /customers/best against a naive count."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from statistics import median
from typing import Any

import httpx
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from db.events.event import ReceivedEvent
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.db.reports.test_revenue_naive import judge
from tests.oracles.naive import ZONES, bucket, kept, midnight, times

sales = st.lists(
    st.fixed_dictionaries(
        {
            "event_type": st.sampled_from(["Order Completed", "purchase", "purchase", "refund"]),
            "path": st.sampled_from(["/", "/done"]),
            "user_id": st.sampled_from([None, "ann", "ann", "bob", "eve"]),
            "timestamp": times,
            "properties": st.fixed_dictionaries(
                {"revenue": st.sampled_from([0.1, "0.20", 30, 30, "?"]), "currency": st.sampled_from(["EUR", "usd"])},
                optional={"order_id": st.sampled_from(["1", "2", "3", "4", "5", "6", "7"])},
            ),
        }
    ),
    max_size=30,
)
Sale = tuple[ReceivedEvent, str, Decimal]


def counted(stored: list[ReceivedEvent]) -> tuple[list[Sale], list[Sale]]:
    """The orders and refunds that count, with currency and amount, each in order of time; a refund has the user of its
    order."""
    seen: set[str] = set()
    owners: dict[str, str | None] = {}
    orders, refunds = [], []
    for one in sorted(stored, key=lambda one: (one.timestamp, one.event_id)):
        outcome, currency = judge(one, seen)
        if outcome != "counted":
            continue
        properties = one.properties or {}
        sale = (one, currency, Decimal(str(properties["revenue"])))
        if one.event_type == "refund":
            refunds.append(sale)
        else:
            orders.append(sale)
            owners[properties.get("order_id", "")] = one.user_id
    return orders, [
        (with_user(one, owners.get((one.properties or {}).get("order_id", "none"))), currency, amount)
        for one, currency, amount in refunds
    ]


def with_user(one: ReceivedEvent, user: str | None) -> ReceivedEvent:
    """The refund of this user's order, else of the one that it names."""
    return msgspec.structs.replace(one, user_id=user or one.user_id)


def ask(reporting: httpx.Client, path: str, site: str, **parameters: Any) -> Any:
    answer = reporting.get(path, params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


@examples(25)
@given(
    sales,
    st.sampled_from(ZONES),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(["2026-03-08", "2026-03-29"]),
    st.randoms(use_true_random=False),
)
def test_they_equal_a_naive_count(
    conn: Connection, reporting: httpx.Client, history: Any, zone: str, interval: str, day: str, order: Random
) -> None:
    site, stored = kept(conn, history, timezone=zone, flushes=order)
    start, end = midnight(2026, 3, int(day[-2:]), zone), midnight(2026, 11, 1, zone)
    asked = {"from": day, "to": "2026-11-01"}
    upto = [one for one in stored if one.timestamp < end]
    orders, refunds = counted(upto)
    of_customer: dict[str, list[Sale]] = defaultdict(list)
    for sale in orders:
        if sale[0].user_id:
            of_customer[sale[0].user_id].append(sale)
    firsts = {sales[0][0].event_id for sales in of_customer.values()}
    within = [sale for sale in orders if sale[0].timestamp >= start]
    refunded = [sale for sale in refunds if sale[0].timestamp >= start]

    report = ask(reporting, "/customers", site, **asked, interval=interval)
    often = Counter(one.user_id for one, _, _ in within if one.user_id)
    new = sum(one.event_id in firsts for one, _, _ in within)
    seconds = [
        (sales[1][0].timestamp - sales[0][0].timestamp).total_seconds() / 86_400
        for sales in of_customer.values()
        if len(sales) > 1 and sales[1][0].timestamp >= start
    ]
    summary = report["summary"]
    waited = summary.pop("median_days_to_second")
    assert waited is None if not seconds else abs(waited - median(seconds)) < 1e-9
    assert summary == {
        "customers": len(often),
        "new": new,
        "returning": len(often) - new,
        "repeat_customers": sum(len(of_customer[user]) > 1 for user in often),
        "repeat_rate": round(sum(len(of_customer[user]) > 1 for user in often) / len(often), 6) if often else None,
        "orders": len(within),
        "anonymous_orders": sum(not one.user_id for one, _, _ in within),
    }
    assert {one["orders"]: one["customers"] for one in report["orders_per_customer"]} == Counter(often.values())
    assert {one["days"]: one["customers"] for one in report["days_to_second"]} == Counter(map(int, seconds))
    by_bucket: dict[datetime, list[ReceivedEvent]] = defaultdict(list)
    for one, _, _ in within:
        by_bucket[bucket(one.timestamp, interval, zone).astimezone(UTC)].append(one)
    points = {datetime.fromisoformat(one["at"]).astimezone(UTC): one for one in report["points"]}
    assert {at: (one["customers"], one["new"], one["returning"], one["orders"]) for at, one in points.items()} == {
        at: (
            len({one.user_id for one in by_bucket[at]} - {None}),
            sum(one.event_id in firsts for one in by_bucket[at]),
            len({one.user_id for one in by_bucket[at]} - {None}) - sum(one.event_id in firsts for one in by_bucket[at]),
            len(by_bucket[at]),
        )
        for at in points
    }
    assert set(by_bucket) <= set(points)
    money: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal()] * 4)
    for one, currency, amount in within:
        first = one.event_id in firsts
        added = [amount, amount * first, amount * bool(one.user_id and not first), Decimal()]
        money[currency] = [a + b for a, b in zip(money[currency], added, strict=True)]
    for _, currency, amount in refunded:
        money[currency] = [*money[currency][:3], money[currency][3] + amount]
    names = ("revenue", "first_revenue", "repeat_revenue", "refunded")
    assert {one["currency"]: [Decimal(one[name]) for name in names] for one in report["currencies"]} == money

    check_best(ask(reporting, "/customers/best", site, **asked, limit=1000), orders, refunded, start)
    follow, taken = counted(stored)
    found = ask(reporting, "/customers/cohorts", site, **asked, months=36)
    check_cohorts(found, follow, taken, (start, end), zone)


def check_best(report: Any, orders: list[Sale], refunded: list[Sale], start: datetime) -> None:
    net: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one, currency, amount in orders:
        if one.user_id and one.timestamp >= start:
            net[currency, one.user_id] += amount
    for one, currency, amount in refunded:
        if (currency, one.user_id) in net:
            net[currency, one.user_id or ""] -= amount
    best = sorted(net, key=lambda key: (key[0], -net[key], key[1]))
    assert [(one["currency"], one["user_id"]) for one in report["customers"]] == best
    assert [Decimal(one["net"]) for one in report["customers"]] == [net[key] for key in best]
    assert {one["currency"]: one["customers"] for one in report["totals"]} == Counter(key[0] for key in net)


def check_cohorts(
    report: Any, orders: list[Sale], refunds: list[Sale], within: tuple[datetime, datetime], zone: str
) -> None:
    def month(one: ReceivedEvent) -> datetime:
        return bucket(one.timestamp, "month", zone)

    first: dict[tuple[str, str], ReceivedEvent] = {}
    for one, currency, _ in orders:
        if one.user_id:
            first.setdefault((currency, one.user_id), one)
    first = {key: one for key, one in first.items() if within[0] <= one.timestamp < within[1]}
    sizes = Counter((f"{month(one):%Y-%m-%d}", currency) for (currency, _), one in first.items())
    assert {(one["cohort"], one["currency"]): one["customers"] for one in report["cohorts"]} == sizes
    amounts: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    for sales, sign in ((orders, 1), (refunds, -1)):
        for one, currency, amount in sales:
            member = first.get((currency, one.user_id or ""))
            if member and one.timestamp >= member.timestamp:
                then, now = month(member), month(one)
                since = 12 * (now.year - then.year) + now.month - then.month
                amounts[f"{then:%Y-%m-%d}", currency, since] += sign * amount
    found = {
        (one["cohort"], one["currency"], each["month"]): Decimal(each["net"])
        for one in report["cohorts"]
        for each in one["months"]
    }
    assert {key: value for key, value in found.items() if value} == {
        key: value for key, value in amounts.items() if value
    }
