"""When the ledger balances, and when it says that something is missing or stored too often."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from db.ledger.balance import NOTHING, Accepted, Count, balance, count_accepted
from tests.conftest import Connection

DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
BEFORE, AFTER = NOON - timedelta(minutes=1), NOON + timedelta(minutes=1)


def told(accepted_now: int, **kept: Any) -> tuple[int, int, int]:
    """Accepted, in flight and unaccounted, where the oldest event in the queue is from noon."""
    accepted = Accepted(source="here", counts={("shop", DAY): accepted_now}, oldest=NOON)
    (account,) = balance([NOTHING | {"site_id": "shop", "day": DAY} | kept], accepted)
    settled = account.stored + account.duplicates + account.dead
    assert account.accepted == settled + account.in_flight + account.unaccounted
    return account.accepted, account.in_flight, account.unaccounted


@pytest.mark.parametrize(
    ("accepted_now", "kept", "expected"),
    [
        (9, {"accepted_here": 9, "counted_at": BEFORE, "stored": 6, "duplicates": 2, "dead": 1}, (9, 0, 0)),
        (9, {"accepted_here": 5, "counted_at": BEFORE, "stored": 5}, (9, 4, 0)),
        (9, {"accepted_here": 5, "counted_at": BEFORE, "stored": 7}, (9, 2, 0)),
        (9, {"accepted_here": 5, "counted_at": BEFORE, "stored": 3}, (9, 4, 2)),
        (9, {"accepted_here": 5, "counted_at": AFTER, "stored": 3}, (9, 6, 0)),
        (9, {"accepted_here": 9, "counted_at": BEFORE, "stored": 10}, (9, 0, -1)),
        (9, {"accepted_here": 9, "counted_at": AFTER, "stored": 10}, (9, 0, -1)),
        (0, {"accepted_here": 9, "counted_at": BEFORE, "stored": 9}, (9, 0, 0)),
        (4, {"accepted_elsewhere": 5, "stored": 7}, (9, 2, 0)),
        (4, {"accepted_elsewhere": 5, "stored": 3}, (9, 4, 2)),
        (4, {}, (4, 4, 0)),
    ],
    ids=[
        "settled",
        "some came since",
        "some that came since are settled",
        "some are lost",
        "what was counted later may be in flight",
        "stored too often",
        "stored too often, counted later",
        "a day that Redis has dropped",
        "another Redis before",
        "another Redis lost some",
        "nothing is kept yet",
    ],
)  # fmt: skip
def test_it_balances(accepted_now: int, kept: dict[str, Any], expected: tuple[int, int, int]) -> None:
    assert told(accepted_now, **kept) == expected


def test_a_day_of_which_nothing_is_kept_has_an_account(shop: str) -> None:
    accepted = Accepted(source="here", counts={(shop, DAY): 3, ("a", DAY): 1}, oldest=NOON)
    accounts = balance([NOTHING | {"site_id": "b", "day": DAY - timedelta(days=1)}], accepted)
    assert [(one.site_id, one.in_flight) for one in accounts] == [("b", 0), ("a", 1), (shop, 3)]


def test_the_newest_count_of_each_redis_is_kept(conn: Connection, shop: str) -> None:
    for source, minute, events in (("one", 0, 5), ("one", 2, 9), ("one", 1, 7), ("two", 3, 2)):
        counted_at = NOON + timedelta(minutes=minute)
        count_accepted(conn, source=source, counted_at=counted_at, counts=[Count(shop, DAY, events)])
    query = "select source, events, counted_at from accepted_days where site_id = %s order by source"
    assert conn.execute(query, [shop]).fetchall() == [
        ("one", 9, NOON + timedelta(minutes=2)),
        ("two", 2, NOON + timedelta(minutes=3)),
    ]
