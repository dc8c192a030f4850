"""GET /breakdown and /timeseries of visits against a naive count."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from db.reports.shared.filters import VISITS
from db.reports.visits.figures import METRICS
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, bucket, kept, midnight, times
from tests.oracles.visits import FILTERS, figures, visits

histories = st.lists(
    st.fixed_dictionaries(
        {
            "event_type": st.sampled_from(["page_view", "page_view", "add_to_cart", "begin_checkout", "purchase"]),
            "path": st.sampled_from(["/", "/a", "/products/1", "/products/2"]),
            "user_id": st.sampled_from([None, "ann", "bob", "eve"]),
            "timestamp": times,
            "agent": st.sampled_from([None, {"device": "mobile", "country": "DE"}, {"device": "desktop", "os": "iOS"}]),
            "origin": st.sampled_from(
                [
                    None,
                    {"source": "google", "channel": "Organic Search"},
                    {"source": "news", "medium": "email", "campaign": "sale-1", "channel": "Email"},
                    {"source": "google", "campaign": "sale-2", "channel": "Paid Search"},
                    {"referrer": "example.org", "channel": "Referral"},
                ]
            ),
            "properties": st.fixed_dictionaries(
                {"revenue": st.sampled_from([1, 30, 0.3, "?"]), "currency": st.sampled_from(["EUR", "EUR", "USD"])},
                optional={"order_id": st.sampled_from(["1", "2", "3"])},
            ),
        }
    ),
    max_size=30,
)
conditions = st.lists(st.sampled_from(FILTERS), max_size=2, unique_by=lambda one: one[0].split(":")[0])


def apart(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """No two events at the same moment: which is the first would depend on the numbers of what is known of them."""
    return [
        one | {"timestamp": one["timestamp"] + timedelta(microseconds=number)} for number, one in enumerate(history)
    ]


def read(row: dict[str, Any]) -> dict[str, Any]:
    """The figures of a row, money as numbers, those left out as None."""
    return {name: Decimal(value) if isinstance(value := row.get(name), str) else value for name in METRICS}


def rounded(found: dict[str, Any]) -> dict[str, Any]:
    average = found["average_order"]
    return found | {"average_order": average and (average + Decimal("0.00000001")).quantize(Decimal("0.01"))}


@examples(12)
@given(
    histories,
    st.sampled_from(sorted(VISITS)),
    st.sampled_from(METRICS),
    conditions,
    st.sampled_from(ZONES),
    st.randoms(use_true_random=False),
)
def test_a_breakdown_equals_a_naive_count(
    conn: Connection,
    reporting: httpx.Client,
    history: Any,
    dimension: str,
    order_by: str,
    filters: Any,
    zone: str,
    order: Random,
) -> None:
    site, stored = kept(conn, apart(history), timezone=zone, flushes=order)
    asked: dict[str, Any] = {
        "site_id": site,
        "from": "2026-03-28",
        "to": "2026-04-01",
        "dimension": dimension,
        "metrics": ",".join(METRICS),
        "order_by": order_by,
        "currency": "EUR",
        "filter": [text for text, _ in filters],
        "compare": "previous_period",
    }
    answer = reporting.get("/breakdown", params=asked)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    start, end = midnight(2026, 3, 28, zone), midnight(2026, 4, 1, zone)
    for current, (first, last) in {True: (start, end), False: (midnight(2026, 3, 24, zone), start)}.items():
        found = [one for one in visits(stored, first, last) if all(matches(one) for _, matches in filters)]
        total = report["total"] if current else report["compare"]
        assert rounded(read(total)) == rounded(figures(found, "EUR"))
        groups = defaultdict(list)
        for one in found:
            groups[one.value(dimension)].append(one)
        absent = groups.pop("", [])
        for row in report["rows"]:
            of_row = row if current else row["compare"]
            assert rounded(read(of_row)) == rounded(figures(groups[row["value"]], "EUR"))
        if current:
            assert {row["value"] for row in report["rows"]} == set(groups)
            assert rounded(read(report["without_value"])) == rounded(figures(absent, "EUR"))
            ranks = [read(row)[order_by] for row in report["rows"]]
            assert ranks == sorted(ranks, key=lambda rank: -1 if rank is None else rank, reverse=True)


@examples(12)
@given(
    histories,
    st.sampled_from([*METRICS, "events", "users"]),
    st.sampled_from(["hour", "day", "week", "month"]),
    conditions,
    st.sampled_from(ZONES),
    st.randoms(use_true_random=False),
)
def test_a_series_equals_a_naive_count(
    conn: Connection,
    reporting: httpx.Client,
    history: Any,
    metric: str,
    interval: str,
    filters: Any,
    zone: str,
    order: Random,
) -> None:
    site, stored = kept(conn, apart(history), flushes=order)
    filters = filters or [FILTERS[0]]
    asked: dict[str, Any] = {
        "site_id": site,
        "from": "2026-03-28",
        "to": "2026-04-01",
        "timezone": zone,
        "metric": metric,
        "interval": interval,
        "filter": [text for text, _ in filters],
    }
    if metric in ("revenue", "average_order"):
        asked["currency"] = "EUR"
    answer = reporting.get("/timeseries", params=asked)
    assert answer.status_code == 200, answer.text
    start, end = midnight(2026, 3, 28, zone), midnight(2026, 4, 1, zone)
    found = [one for one in visits(stored, start, end) if all(matches(one) for _, matches in filters)]
    buckets = defaultdict(list)
    for one in found:
        buckets[bucket(one.events[0].timestamp, interval, zone).astimezone(UTC)].append(one)
    for point in answer.json()["points"]:
        at = datetime.fromisoformat(point["at"]).astimezone(UTC)
        begun = buckets.pop(at, [])
        if metric == "events":
            assert point["value"] == sum(len(one.events) for one in begun)
            continue
        figure = "people" if metric == "users" else metric
        row = {figure: point["value"]}
        assert rounded(read(row))[figure] == rounded(figures(begun, "EUR"))[figure]
    assert not buckets
