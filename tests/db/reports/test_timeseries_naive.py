"""GET /timeseries against a naive count."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from db.events.event import ReceivedEvent
from tests.apps.reports.test_timeseries import ask
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.naive import ZONES, bucket, histories, kept, midnight, within

#: When clocks are changed in spring, and in autumn; and a range that has a whole month.
SEASONS = [
    (date(2026, 3, 8), date(2026, 4, 6)),
    (date(2026, 10, 24), date(2026, 11, 3)),
    (date(2026, 2, 27), date(2026, 4, 29)),
]

#: Filters, and the same in Python.
FILTERS: list[tuple[str | None, Callable[[ReceivedEvent], bool]]] = [
    (None, bool),
    ("event_type:is_not:click", lambda one: one.event_type != "click"),
    ("path:is:/products/*|/a", lambda one: one.path.startswith("/products/") or one.path == "/a"),
    ("path:contains_not:.b", lambda one: ".b" not in one.path),
    ("user_id:is_not:ann|bob", lambda one: one.user_id not in ("ann", "bob")),
    ("properties.plan:is_not:free", lambda one: (one.properties or {}).get("plan") != "free"),
    ("properties.seats:lt:10", lambda one: (one.properties or {}).get("seats", 10) < 10),
    ("properties.deep.a:is:y", lambda one: "y" in (one.properties or {}).get("deep", {}).get("a", [])),
]


@examples(40)
@given(
    histories(),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.sampled_from(["events", "views", "users"]),
    st.sampled_from(["hour", "day", "week", "month"]),
    st.sampled_from(SEASONS),
    st.sampled_from(FILTERS),
)
def test_it_equals_a_naive_count(
    conn: Connection,
    reporting: httpx.Client,
    history: Any,
    site_zone: str,
    zone: str,
    metric: str,
    interval: str,
    season: tuple[date, date],
    condition: tuple[str | None, Callable[[ReceivedEvent], bool]],
) -> None:
    site, stored = kept(conn, history, timezone=site_zone)
    first, end = season
    text, matches = condition
    days = {"from": first.isoformat(), "to": end.isoformat()}
    asked = {"timezone": zone, "metric": metric, "interval": interval} | ({"filter": text} if text else {})
    report = ask(reporting, site, **days, **asked)
    start, stop = (midnight(day.year, day.month, day.day, zone) for day in (first, end))
    events = [one for one in within(stored, start, stop) if matches(one)]
    if metric == "views":
        events = [one for one in events if one.event_type == "page_view"]
    # In UTC: Python finds no two times equal of which one is in an hour that is repeated.
    placed = [(bucket(one.timestamp, interval, zone).astimezone(UTC), one.user_id) for one in events]
    found = {datetime.fromisoformat(point["at"]).astimezone(UTC): point for point in report["points"]}
    assert len(found) == len(report["points"])
    counted = {(at, user) for at, user in placed if user} if metric == "users" else placed
    assert {at: one["value"] for at, one in found.items() if one["value"]} == Counter(at for at, _ in counted)
    if metric == "users":
        nobody = Counter(at for at, user in placed if not user)
        assert {at: one["anonymous"] for at, one in found.items() if one["anonymous"]} == nobody
