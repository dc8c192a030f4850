"""Storing: every event once, and every rollup equal to what its events say."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest

from db.events.event import ReceivedEvent
from db.store.events import Stored, store_events
from tests.builders.factories import NOW, batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences


def events_of(conn: Connection, shop: str) -> int:
    (count,) = conn.execute("select count(*) from events where site_id = %s", [shop]).fetchone() or (0,)
    return int(count)


def test_a_row_has_all_that_was_sent(conn: Connection, shop: str) -> None:
    properties = {"revenue": 12.5, "a": [None]}
    one = received(shop, event_type="purchase", path="/ä", user_id="ann", visitor_id="browser", properties=properties)
    store_events(conn, batch(one))
    columns = "site_id, event_id, event_type, path, user_id, event_time, received_at, properties, visitor_id"
    row = conn.execute(f"select {columns} from events where site_id = %s".encode(), [shop]).fetchone()
    event_id = UUID(one.event_id)
    assert row == (shop, event_id, "purchase", "/ä", "ann", one.timestamp, one.received_at, properties, "browser")


def test_a_resent_event_counts_once(conn: Connection, shop: str) -> None:
    first, second = received(shop, user_id="ann"), received(shop, user_id="bob")
    assert store_events(conn, batch(first)) == Stored(received=1, stored=1)
    assert store_events(conn, batch(first, second, first)) == Stored(received=3, stored=1)
    assert events_of(conn, shop) == 2
    assert differences(conn, shop) == {}


def test_an_event_twice_in_a_batch_counts_once(conn: Connection, shop: str) -> None:
    one = received(shop, user_id="ann")
    assert store_events(conn, batch(one, one)) == Stored(received=2, stored=1)
    assert differences(conn, shop) == {}


def test_an_event_that_a_client_sends_again_by_the_id_of_our_answer_counts_once(conn: Connection, shop: str) -> None:
    def ours_and_again() -> tuple[ReceivedEvent, ReceivedEvent]:
        ours = received(shop, user_id="ann")
        return ours, msgspec.structs.replace(ours, id_made=False)

    for one, two in (ours_and_again(), ours_and_again()[::-1]):
        neighbours = received(shop, user_id="bob"), received(shop, event_id=str(uuid4()), user_id="eve")
        assert store_events(conn, batch(one)).stored == 1
        assert store_events(conn, batch(neighbours[0], two, neighbours[1])) == Stored(received=3, stored=2)
        assert store_events(conn, batch(one, two)).stored == 0
    assert store_events(conn, batch(*ours_and_again())) == Stored(received=2, stored=1)
    assert events_of(conn, shop) == 7
    assert differences(conn, shop) == {}


def test_sites_may_use_the_same_ids(conn: Connection, shop: str, other: str) -> None:
    event_id = str(uuid4())
    ours, theirs = received(shop, event_id=event_id, user_id="ann"), received(other, event_id=event_id, user_id="ann")
    assert store_events(conn, batch(ours, theirs)).stored == 2
    assert differences(conn, shop, other) == {}


def test_an_anonymous_event_counts_but_is_no_user(conn: Connection, shop: str) -> None:
    store_events(conn, batch(received(shop), received(shop, user_id="ann")))
    assert conn.execute("select users from sites where site_id = %s", [shop]).fetchone() == (1,)
    assert conn.execute("select sum(events) from event_hours where site_id = %s", [shop]).fetchone() == (2,)
    assert differences(conn, shop) == {}


def test_users_are_numbered_beyond_one_chunk(conn: Connection, shop: str) -> None:
    for start in range(0, 20_000, 5_000):
        users = range(start, start + 5_000)
        store_events(conn, batch(*(received(shop, user_id=f"user {user}") for user in users)))
    chunks = conn.execute(
        "select chunk, bit_count(users) from user_days where site_id = %s order by chunk", [shop]
    ).fetchall()
    assert chunks == [(0, 8192), (1, 8192), (2, 20_000 - 2 * 8192)]
    assert differences(conn, shop) == {}


@pytest.mark.parametrize("timezone", ["Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati"])
def test_days_and_hours_are_those_of_the_sites_timezone(conn: Connection, shop: str, timezone: str) -> None:
    conn.execute("insert into sites (site_id, timezone) values (%s, %s)", [shop, timezone])
    # Around both changes to and from daylight-saving time in New York and on Lord Howe Island (half an hour there).
    starts = [datetime(2025, month, day, tzinfo=UTC) for month, day in ((3, 8), (4, 5), (10, 4), (11, 1))]
    moments = [start + timedelta(minutes=15 * step) for start in starts for step in range(4 * 48)]
    store_events(conn, batch(*(received(shop, timestamp=moment.isoformat(), user_id="ann") for moment in moments)))
    assert differences(conn, shop) == {}
    hours = conn.execute("select hour at time zone %s from event_hours where site_id = %s", [timezone, shop]).fetchall()
    assert {local.minute for (local,) in hours} <= {0, 30}


def test_an_hour_that_is_repeated_stays_two_hours(conn: Connection, shop: str) -> None:
    conn.execute("insert into sites (site_id, timezone) values (%s, 'America/New_York')", [shop])
    before, after = received(shop, timestamp="2025-11-02T05:30:00Z"), received(shop, timestamp="2025-11-02T06:30:00Z")
    store_events(conn, batch(before, after))
    assert conn.execute("select hour, events from event_hours where site_id = %s order by 1", [shop]).fetchall() == [
        (datetime(2025, 11, 2, 5, tzinfo=UTC), 1),
        (datetime(2025, 11, 2, 6, tzinfo=UTC), 1),
    ]


def test_a_late_event_changes_the_day_it_happened_on(conn: Connection, shop: str) -> None:
    store_events(conn, batch(received(shop)))
    store_events(conn, batch(received(shop, timestamp="2025-12-31T23:59:59.999999Z")))
    days = conn.execute("select day, events from path_days where site_id = %s order by day", [shop]).fetchall()
    assert days == [(date(2025, 12, 31), 1), (date(2026, 3, 10), 1)]


def random_events(seed: int, sites: list[str]) -> Iterator[ReceivedEvent]:
    """Events with few different values, so that much of them meets; the same seed gives the same ids."""
    dice = random.Random(seed)
    for _ in range(200):
        yield received(
            dice.choice(sites),
            event_id=str(UUID(int=dice.randrange(1000))),
            event_type=dice.choice(["page_view", "click"]),
            path=f"/{dice.randrange(5)}",
            user_id=dice.choice([None, *"abcdefgh"]),
            timestamp=(NOW + timedelta(hours=dice.randrange(-48, 1))).isoformat(),
        )


def test_many_writers_on_the_same_sites_store_everything_once(database_url: str, conn: Connection) -> None:
    sites = [f"hot-{uuid4().hex[:8]}-{number}" for number in range(5)]
    batches = [list(random_events(seed, sites)) for seed in range(12)]
    sent = [one for events in batches for one in events]

    def write(writer: int) -> None:
        # Each writer sends all batches in an order of its own: each event arrives four times.
        dice = random.Random(writer)
        with psycopg.connect(database_url, autocommit=True, prepare_threshold=None) as conn:
            for events in dice.sample(batches, len(batches)):
                store_events(conn, batch(*dice.sample(events, len(events))))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    different = {(one.site_id, one.event_id) for one in sent}
    assert sum(events_of(conn, site) for site in sites) == len(different)
    assert differences(conn, *sites) == {}


def test_a_batch_is_stored_whole_or_not_at_all(conn: Connection, shop: str) -> None:
    bad = batch(received(shop)).replace(b'"path":"/"', b'"path":null')
    with pytest.raises(psycopg.errors.NotNullViolation):
        store_events(conn, batch(received(shop, user_id="ann"))[:-1] + b"," + bad[1:])
    assert events_of(conn, shop) == 0
    assert conn.execute("select from sites where site_id = %s", [shop]).fetchone() is None


def test_a_flush_is_planned_once_a_connection(conn: Connection) -> None:
    """Whoever replaces the function loses its settings, and with them half of the rate of a new connection."""
    query = "select proconfig from pg_proc where oid = 'store_events(jsonb, timestamptz)'::regprocedure"
    assert conn.execute(query).fetchone() == (["plan_cache_mode=force_generic_plan", "enable_mergejoin=off"],)
