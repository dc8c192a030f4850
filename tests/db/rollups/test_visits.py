"""Visits: sessions know where they came from, what with, what was done in them, and whether they are the first."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, get_args

import pytest

from db.rollups.advance import Rollup, advance
from db.rollups.recount import compare_days, rebuild_days, rebuild_orders
from db.sites.timezones import set_timezone
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
AGENTS = [None, {"device": "mobile", "country": "DE"}, {"device": "mobile"}, {"device": "desktop", "os": "Linux"}]
ORIGINS = [None, {"source": "google", "channel": "Organic Search"}, {"source": "news", "campaign": "a"}]
TYPES = ["page_view", "page_view", "click", "add_to_cart", "begin_checkout", "purchase", "purchase", "refund"]


def store(conn: Connection, shop: str, *events: dict[str, Any]) -> None:
    store_events(conn, batch(*(received(shop, **one) for one in events)))


def event(chance: Random) -> dict[str, Any]:
    """Some event: few people, many at the same moment, late ones, orders sent twice."""
    moment = NOON - timedelta(days=chance.choice([0, 0, 1, 6, 40]), minutes=chance.choice([0, 0, 5, 29, 31, 200]))
    return {
        "visitor_id": chance.choice([None, "phone", "laptop", "tablet"]),
        "user_id": chance.choice([None, None, "ann", "bob"]),
        "event_type": chance.choice(TYPES),
        "path": chance.choice(["/", "/a"]),
        "timestamp": moment.isoformat(),
        "agent": chance.choice(AGENTS),
        "origin": chance.choice(ORIGINS),
        "properties": {
            "revenue": chance.choice([5, 7]),
            "currency": "EUR",
            "order_id": chance.choice(["1", "2", None]),
        },
    }


@pytest.mark.some(4)
@pytest.mark.parametrize("seed", range(8))
def test_visits_are_what_their_events_say(conn: Connection, shop: str, seed: int) -> None:
    chance = Random(seed)
    for _ in range(chance.randint(2, 10)):
        store(conn, shop, *(event(chance) for _ in range(chance.randint(1, 12))))
        if chance.random() < 0.5:
            advance(conn, "sessions", shop, target=NOON - timedelta(days=chance.choice([0, 5, 30])))
        if chance.random() < 0.1:
            set_timezone(conn, shop, chance.choice(["Asia/Tokyo", "America/New_York"]))
        assert differences(conn, shop) == {}
    for query in (
        "update sessions set agent_number = 7, is_new = not is_new where site_id = %s and events = 1",
        "update sessions set origin_number = null, carts = carts + 1 where site_id = %s and events > 1",
        "delete from counted_orders where site_id = %s and user_id = 'ann'",
        "update counted_orders set amount = amount + 1, user_id = 'eve' where site_id = %s and user_id is null",
        (
            "insert into counted_orders select site_id, event_time, gen_random_uuid(), 'bob', 'EUR', 1 from sites"
            " join events using (site_id) where site_id = %s and event_type = 'click' limit 1"
        ),
    ):
        conn.execute(query.encode(), [shop])
    first, last = date(2026, 1, 1), date(2026, 4, 1)
    spoiled = {one.rollup for found in compare_days(conn, shop, first_day=first, last_day=last, most=9)
               for one in found.differences}  # fmt: skip
    assert spoiled <= {"sessions", "counted_orders"}
    assert ("sessions" in spoiled) == bool(
        conn.execute("select 1 from sessions where site_id = %s limit 1", [shop]).fetchone()
    )
    rebuild_orders(conn, shop)
    rebuild_days(conn, shop, first_day=first, last_day=last)
    assert differences(conn, shop) == {}
    assert not any(found.total for found in compare_days(conn, shop, first_day=first, last_day=last, most=9))


def visits(conn: Connection, shop: str) -> list[tuple[object, ...]]:
    for rollup in get_args(Rollup):
        advance(conn, rollup, shop, target=NOON + timedelta(days=2))
    return conn.execute(
        "select user_id, source, device, carts, checkouts, is_new from sessions s"
        " left join origins o on o.site_id = s.site_id and o.number = s.origin_number"
        " left join agents a on a.site_id = s.site_id and a.number = s.agent_number where s.site_id = %s"
        " order by began",
        [shop],
    ).fetchall()


def test_a_visit_has_what_its_first_event_says(conn: Connection, shop: str) -> None:
    first = {"visitor_id": "v", "timestamp": "2026-03-10T10:00:00Z"}
    google = {"origin": {"source": "google"}, "agent": {"device": "mobile"}}
    store(conn, shop, first | google, first | {"event_type": "add_to_cart", "timestamp": "2026-03-10T10:20:00Z"})
    assert visits(conn, shop) == [("v", "google", "mobile", 1, 0, True)]
    # An earlier event that is late, from nowhere; the next day; and then somebody logs in who was there before all.
    store(conn, shop, first | {"timestamp": "2026-03-10T09:50:00Z"}, first | {"timestamp": "2026-03-11T10:00:00Z"})
    store(conn, shop, {"user_id": "ann", "timestamp": "2026-03-09T10:00:00Z"})
    assert visits(conn, shop) == [
        ("ann", None, None, 0, 0, True),
        ("v", None, None, 1, 0, True),
        ("v", None, None, 0, 0, False),
    ]
    store(conn, shop, first | {"user_id": "ann", "timestamp": "2026-03-10T10:30:00Z", "event_type": "begin_checkout"})
    assert [(row[0], *row[3:]) for row in visits(conn, shop)] == [
        ("ann", 0, 0, True),
        ("ann", 1, 1, False),
        ("ann", 0, 0, False),
    ]
    assert differences(conn, shop) == {}


def test_an_agent_that_says_nothing_has_no_number(conn: Connection, shop: str) -> None:
    store(conn, shop, {"agent": {"device": ""}, "origin": {}}, {"agent": {"os": "iOS"}, "origin": {"term": "a,b"}})
    numbers = conn.execute(
        "select agent_number, origin_number from events where site_id = %s order by 1 nulls first", [shop]
    ).fetchall()
    assert numbers[0] == (None, None)
    assert None not in numbers[1]


def test_whoever_sends_ever_other_texts_does_not_fill_the_disk(conn: Connection, shop: str, other: str) -> None:
    conn.execute("insert into agents select %s, n, '', '', '', '', 'x' from generate_series(1, 9999) n", [shop])
    conn.execute(
        "insert into origins select %s, n, '', '', '', '', '', '', 'x' from generate_series(1, 49999) n", [shop]
    )
    for site in (shop, other):
        many = [{"agent": {"os": f"{n}"}, "origin": {"source": f"{n}"}} for n in range(4)]
        store(conn, site, *many)
        store(conn, site, *many)
    for table, limit in (("agents", 10_000), ("origins", 50_000)):
        counts = conn.execute(f"select site_id, count(*) from {table} group by 1".encode()).fetchall()
        assert {site: count for site, count in counts if site in (shop, other)} == {shop: limit, other: 4}
