"""A range that is not over, compared up to the same time of day: equal to a naive count, mostly from rollups."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from db.events.event import ReceivedEvent
from tests.conftest import Connection
from tests.oracles.naive import bucket, kept

ZONE = "Asia/Kolkata"


@pytest.fixture
def history() -> list[dict[str, Any]]:
    """Ten weeks up to now, more at the time of day that it is now than at others."""
    random, now = Random(11), datetime.now(UTC)
    found = []
    for number in range(400):
        near = timedelta(seconds=random.randint(-2_000, 2_000)) if number % 3 else timedelta(hours=random.random() * 24)
        kind = random.choice(["page_view", "page_view", "click", "purchase"])
        sold = {"revenue": random.choice([0.1, "7"]), "currency": random.choice(["EUR", "USD"]), "order_id": number}
        found.append(
            {
                "event_type": kind,
                "path": random.choice(["/", "/a"]),
                "user_id": random.choice([None, "ann", "bob", "eve"]),
                "timestamp": now - timedelta(days=random.randint(1, 70)) + near,
                "properties": sold if kind == "purchase" else None,
            }
        )
    return found


def ask(reporting: httpx.Client, path: str, site: str, **parameters: Any) -> Any:
    answer = reporting.get(path, params={"site_id": site, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


def within(stored: list[ReceivedEvent], report: Any) -> list[ReceivedEvent]:
    start, end = (datetime.fromisoformat(report["compared_with"][name]) for name in ("from", "to"))
    return [one for one in stored if start <= one.timestamp < end]


@pytest.mark.parametrize("compare", ["previous_period", "same_weekday"])
@pytest.mark.parametrize("period", ["today", "14d", "28d"])
def test_it_equals_a_naive_count_and_needs_the_events_of_its_last_day_only(
    conn: Connection, reporting: httpx.Client, history: list[dict[str, Any]], period: str, compare: str
) -> None:
    site, stored = kept(conn, history, timezone=ZONE)
    asked = {"period": period, "compare": compare}
    first = ask(reporting, "/timeseries", site, **asked)
    end = datetime.fromisoformat(first["compared_with"]["to"]).astimezone(ZoneInfo(ZONE))
    last_day = end.replace(hour=0, minute=0, second=0, microsecond=0)
    conn.execute("update sites set events_from = %s where site_id = %s", [last_day, site])
    for metric in ("events", "users"):
        report = ask(reporting, "/timeseries", site, **asked, metric=metric, interval="day")
        then = within(stored, report)
        named = [one for one in then if one.user_id] if metric == "users" else then
        placed = [(bucket(one.timestamp, "day", ZONE).astimezone(UTC), one.user_id) for one in named]
        wanted = Counter(at for at, _ in (set(placed) if metric == "users" else placed))
        points = {datetime.fromisoformat(one["at"]).astimezone(UTC): one["value"] for one in report["compare"]}
        assert (len(points), {at: value for at, value in points.items() if value}) == (
            len(report["compare"]),
            wanted,
        )
        elapsed = datetime.fromisoformat(report["compared_with"]["to"]).astimezone(ZoneInfo(ZONE)).time()
        now = datetime.fromisoformat(report["as_of"]).astimezone(ZoneInfo(ZONE)).time()
        apart = (datetime.combine(end, now) - datetime.combine(end, elapsed)).total_seconds() % 86_400
        assert min(apart, 86_400 - apart) < 5
    paths = ask(reporting, "/breakdown", site, **asked, dimension="path", limit=1000)
    counted = Counter(one.path for one in within(stored, paths))
    assert paths["compare"]["events"] == counted.total()
    assert {row["value"]: row["compare_events"] for row in paths["rows"]} == {
        row["value"]: counted[row["value"]] for row in paths["rows"]
    }
    revenue = ask(reporting, "/revenue", site, **asked)
    amounts: dict[str, list[Any]] = {}
    for one in within(stored, revenue):
        if one.event_type == "purchase" and one.properties:
            of_currency = amounts.setdefault(one.properties["currency"], [0, Decimal()])
            of_currency[0] += 1
            of_currency[1] += Decimal(str(one.properties["revenue"]))
    assert {one["currency"]: [one["orders"], Decimal(one["revenue"])] for one in revenue["compare"]} == amounts
    months = ask(reporting, "/timeseries", site, **asked, interval="month") if period == "today" else None
    if months:
        assert sum(one["value"] for one in months["compare"]) == len(within(stored, months))
