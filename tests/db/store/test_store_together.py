"""Several writers at once: no deadlock, and everything counted once, whatever they store and in whatever order."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from db.events.event import ReceivedEvent
from db.rollups.advance import advance
from db.store.events import Stored, store_events
from tests.actors.test_flusher import somebody_waits_for_a_lock
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.servers.servers import until

WRITERS, BATCHES, EVENTS = 4, 12, 60


@pytest.fixture
def hot_sites() -> list[str]:
    return [f"hot-{number}-{uuid4().hex[:8]}" for number in range(5)]


def test_writers_of_the_same_sites_wait_for_each_other_and_count_everything_once(
    conn: Connection, database_url: str, hot_sites: list[str]
) -> None:
    random = Random(2026)
    now = datetime.now(UTC)
    events = [one(random, hot_sites, now) for _ in range(WRITERS * BATCHES * EVENTS // 2)]
    # Each event is in two batches on average, and all sites are in every batch in another order.
    given = [random.sample(events, EVENTS) for _ in range(WRITERS * BATCHES)]
    expected = {event.event_id for events in given for event in events}

    def write(number: int) -> int:
        with psycopg.connect(database_url, autocommit=True, prepare_threshold=None) as own:
            return sum(store_events(own, batch(*events)).stored for events in given[number::WRITERS])

    def move_on() -> None:
        with psycopg.connect(database_url, autocommit=True, prepare_threshold=None) as own:
            for minutes in range(180, 0, -5):
                for site in random.sample(hot_sites, len(hot_sites)):
                    advance(own, "sessions", site, target=now - timedelta(minutes=minutes), most=50)
                    advance(own, "path_spans", site, target=now + timedelta(days=6 - minutes / 30))
                    advance(own, "top_paths", site, target=now + timedelta(days=3 - minutes / 60))
                    advance(own, "user_spans", site, target=now + timedelta(days=3 - minutes / 60))
                    advance(own, "user_months", site, target=now + timedelta(days=2 - minutes / 60), most=50)

    # A deadlock would be an error of one of them.
    with ThreadPoolExecutor(WRITERS + 1) as threads:
        advancing = threads.submit(move_on)
        stored = list(threads.map(write, range(WRITERS)))
        advancing.result()
    assert sum(stored) == len(expected)
    assert differences(conn, *hot_sites) == {}


def test_an_event_that_is_being_stored_is_waited_for_and_counts_once(
    conn: Connection, database_url: str, shop: str
) -> None:
    first, second = received(shop, user_id="ann"), received(shop, user_id="bob")
    with (
        psycopg.connect(database_url, autocommit=True, prepare_threshold=None) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        with other.transaction():
            store_events(other, batch(first))
            storing = thread.submit(store_events, conn, batch(first, second))
            until(lambda: somebody_waits_for_a_lock(other))
        assert storing.result() == Stored(received=2, stored=1)
    assert differences(conn, shop) == {}


def one(random: Random, sites: list[str], now: datetime) -> ReceivedEvent:
    fields: dict[str, Any] = {
        "user_id": random.choice([None, *(f"user {number}" for number in range(40))]),
        "path": f"/products/{random.randrange(20)}",
        "event_type": random.choice(["page_view", "click"]),
        "timestamp": (now - timedelta(minutes=random.uniform(0, 240))).isoformat(),
    }
    return received(random.choice(sites), **fields)
