"""Unique users by hour, from sessions: of long ones that reach into a range too, and of events newer than they are."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from db.rollups.advance import advance
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.naive import bucket

NOON = datetime(2026, 4, 4, 12, tzinfo=UTC)  # three hours before the clocks of Lord Howe are set back by half of one


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize("until", [-1, 4, 9])
@pytest.mark.parametrize("first", [2, 5])
def test_a_session_has_its_user_in_each_of_its_hours(
    conn: Connection, reporting: httpx.Client, shop: str, zone: str, until: int, first: int
) -> None:
    """Ann has an event each 29 minutes for seven hours, Bob one now and then; the sessions have some of them."""
    conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [shop, zone])
    times = [("ann", NOON + timedelta(minutes=29 * number)) for number in range(15)]
    times += [("bob", NOON + timedelta(minutes=95 * number)) for number in range(5)]
    times += [("ann", NOON + timedelta(hours=8, minutes=30)), ("ann", NOON + timedelta(hours=8, minutes=30))]
    store_events(conn, batch(*(received(shop, user_id=user, timestamp=at.isoformat()) for user, at in times)))
    while advance(conn, "sessions", shop, target=NOON + timedelta(hours=until)):
        pass
    start = bucket(NOON + timedelta(hours=first), "hour", zone)
    end = bucket(NOON + timedelta(hours=first + 4), "hour", zone)
    asked = {"from": start.isoformat(), "to": end.isoformat(), "metric": "users", "interval": "hour", "timezone": zone}
    report = reporting.get("/timeseries", params={"site_id": shop, **asked}).json()
    assert report["source"] == "rollups"
    placed = {(bucket(at, "hour", zone), user) for user, at in times if start <= at < end}
    points = {datetime.fromisoformat(one["at"]).astimezone(UTC): one["value"] for one in report["points"]}
    assert {at: value for at, value in points.items() if value} == Counter(at for at, _ in placed)
