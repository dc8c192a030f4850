"""Visitors become users: their events count for the user that they were first identified as, before and after it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Barrier
from typing import Any, get_args

import pytest

from db.connections.pools import connect
from db.rollups.advance import Rollup, advance
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences

ROLLUPS: tuple[Rollup, ...] = get_args(Rollup)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def store(conn: Connection, shop: str, *events: dict[str, Any]) -> None:
    store_events(conn, batch(*(received(shop, **one) for one in events)))


def people(conn: Connection, shop: str) -> list[tuple[str | None, str | None]]:
    return conn.execute(
        "select user_id, visitor_id from events where site_id = %s order by event_time, event_id", [shop]
    ).fetchall()


def users(conn: Connection, shop: str) -> list[str]:
    return [
        row[0] for row in conn.execute("select user_id from users where site_id = %s order by 1", [shop]).fetchall()
    ]


def test_a_visitor_who_logs_in_is_one_person_before_and_after(conn: Connection, shop: str) -> None:
    anonymous = {"visitor_id": "browser", "path": "/a"}
    store(conn, shop, anonymous | {"timestamp": "2026-03-01T10:00:00Z"})
    store(conn, shop, anonymous | {"timestamp": "2026-03-10T10:00:00Z"}, {"user_id": "ann", "visitor_id": "phone"})
    assert users(conn, shop) == ["ann", "browser"]
    store(conn, shop, {"visitor_id": "browser", "user_id": "ann", "timestamp": "2026-03-10T10:05:00Z"})
    store(conn, shop, anonymous | {"timestamp": "2026-03-11T10:00:00Z"})
    assert users(conn, shop) == ["ann"]
    assert {user for user, _ in people(conn, shop)} == {"ann"}
    assert differences(conn, shop) == {}


def test_the_first_identification_counts_and_two_users_stay_two(conn: Connection, shop: str) -> None:
    store(conn, shop, {"visitor_id": "tablet"}, {"visitor_id": "tablet", "user_id": "ann"})
    store(conn, shop, {"visitor_id": "tablet", "user_id": "bob"}, {"visitor_id": "tablet"})
    store(conn, shop, {"visitor_id": "ann", "user_id": "bob"}, {"visitor_id": "bob", "user_id": "ann"})
    assert sorted(user or "" for user, _ in people(conn, shop)) == ["ann"] * 4 + ["bob"] * 2
    assert differences(conn, shop) == {}


class Life:
    """Some visitors and users of a shop, and in which order they came: whom the naive count makes of them."""

    def __init__(self, chance: Random, shop: str) -> None:
        self.chance = chance
        self.shop = shop
        self.links: dict[str, str] = {}

    def events(self, most: int) -> list[dict[str, Any]]:
        return [self.event() for _ in range(self.chance.randint(1, most))]

    def event(self) -> dict[str, Any]:
        chance = self.chance
        visitor = chance.choice([None, *(f"visitor {number}" for number in range(8))])
        user = chance.choice([None, None, None, "ann", "bob", "eve"])
        moment = NOON - timedelta(days=chance.choice([0, 0, 1, 6, 40]), minutes=chance.choice([0, 5, 29, 31, 200]))
        return {
            "visitor_id": visitor,
            "user_id": user,
            "event_type": chance.choice(["page_view", "click", "purchase"]),
            "path": chance.choice(["/", "/a", "/b"]),
            "timestamp": moment.isoformat(),
        }


@pytest.mark.some(6)
@pytest.mark.parametrize("seed", range(12))
def test_every_rollup_counts_people_as_their_events_say(conn: Connection, shop: str, seed: int) -> None:
    chance = Random(seed)
    life = Life(chance, shop)
    for _ in range(chance.randint(2, 12)):
        store(conn, shop, *life.events(10))
        for rollup in ROLLUPS:
            if chance.random() < 0.3:
                advance(conn, rollup, shop, target=NOON - timedelta(days=chance.choice([0, 5, 30])))
        check(conn, shop)


def check(conn: Connection, shop: str) -> None:
    links = dict(conn.execute("select visitor_id, user_id from visitors where site_id = %s", [shop]).fetchall())
    for user, visitor in people(conn, shop):
        assert visitor is None or user != visitor or visitor not in links
    identified = conn.execute(
        "select distinct visitor_id from events where site_id = %s and user_id <> visitor_id", [shop]
    ).fetchall()
    assert {visitor for (visitor,) in identified} == set(links)
    assert differences(conn, shop) == {}


def test_flushes_at_once_agree_on_who_a_visitor_is(conn: Connection, database_url: str, shop: str) -> None:
    chance = Random(7)
    lives = [Life(Random(chance.random()), shop) for _ in range(4)]
    start = Barrier(len(lives))

    def live(life: Life) -> None:
        with connect(database_url) as own:
            start.wait()
            for _ in range(12):
                store(own, shop, *life.events(6))

    with ThreadPoolExecutor(len(lives)) as pool:
        list(pool.map(live, lives))
    check(conn, shop)


def test_numbers_of_several_chunks_and_several_visitors_of_one_user(conn: Connection, shop: str) -> None:
    crowd = [{"user_id": f"user {number}", "path": "/"} for number in range(8_200)]
    store(conn, shop, *({"visitor_id": f"v{number}"} for number in range(5)))
    store(conn, shop, *crowd)
    store(conn, shop, *({"visitor_id": f"w{number}", "timestamp": "2026-03-11T12:00:00Z"} for number in range(5)))
    for rollup in ROLLUPS:
        advance(conn, rollup, shop, target=datetime(2026, 3, 12, tzinfo=UTC))
    known = [{"visitor_id": f"{kind}{number}", "user_id": "user 9"} for kind in "vw" for number in range(3)]
    fresh = [{"visitor_id": f"{kind}{number}", "user_id": "eve"} for kind in "vw" for number in (3, 4)]
    store(conn, shop, *known, *fresh)
    assert len(users(conn, shop)) == 8_201
    check(conn, shop)


def test_what_expired_moves_with_its_bits(conn: Connection, shop: str) -> None:
    old = {"visitor_id": "old", "timestamp": "2025-11-03T12:00:00Z"}
    store(conn, shop, old, old | {"visitor_id": "other"}, {"user_id": "ann", "timestamp": "2025-11-04T12:00:00Z"})
    for rollup in ROLLUPS:
        while advance(conn, rollup, shop, target=NOON):
            pass
    bits = "select day, sum(bit_count(users)) from user_days where site_id = %s group by 1 order by 1"
    unions = (
        "select first_day, sum(counted) from user_spans where site_id = %s and event_type = '' group by 1 order by 1"
    )
    before = [conn.execute(query, [shop]).fetchall() for query in (bits, unions)]
    conn.execute("update sites set events_from = '2025-12-01Z' where site_id = %s", [shop])
    conn.execute("delete from events where site_id = %s", [shop])
    store(conn, shop, {"visitor_id": "old", "user_id": "ann", "timestamp": "2026-03-10T12:00:00Z"})
    assert users(conn, shop) == ["ann", "other"]
    numbers = conn.execute("select user_no from users where site_id = %s and user_id = 'ann'", [shop]).fetchall()
    days = conn.execute(
        "select day from user_days where site_id = %s and get_bit(users, %s) = 1 order by 1", [shop, numbers[0][0]]
    ).fetchall()
    assert [day.isoformat() for (day,) in days] == ["2025-11-03", "2025-11-04", "2026-03-10"]
    after = [conn.execute(query, [shop]).fetchall() for query in (bits, unions)]
    assert after[0][:2] == before[0]  # who was one visitor then is one user now
    assert sum(count for _, count in after[1][:4]) < sum(count for _, count in before[1][:4])
    months = conn.execute("select distinct user_id from user_months where site_id = %s order by 1", [shop]).fetchall()
    assert months == [("ann",), ("other",)]  # the months of the visitor are the user's
