"""Partitions are made before the transaction that stores events apart: Citus makes none in one that has stored any."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import uuid4

import msgspec
import psycopg
import pytest

from db.connections.pools import connect
from db.dead_letters.replay import replay
from db.events.event import ReceivedEvent
from db.migrations import migrate
from db.store.dead_letters import Failure, time_of
from db.store.events import Message, make_partitions_ahead
from db.store.whole_or_apart import StoreApart, file_message, store, store_apart
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.db.schema.test_migrations import EmptyDatabase
from tests.oracles.recount import differences

NOW = datetime.now(UTC).replace(microsecond=0)
WEEK = timedelta(days=7)
#: Makes no partition in a transaction that has locked rows of our tables or written any, as Citus.
AS_CITUS = """
    alter function make_partition rename to make_partition_anywhere;
    create function make_partition(moment timestamptz, present timestamptz default now()) returns void
    language plpgsql
    as $$
    begin
        perform make_partition_anywhere(moment, present);
        if exists (
            select 1
            from pg_locks l
            join pg_class c on c.oid = l.relation
            where l.pid = pg_backend_pid() and l.mode in ('RowShareLock', 'RowExclusiveLock')
                and c.relnamespace = 'public'::regnamespace
        ) then
            raise internal_error using message = 'cannot distribute in sequential mode';
        end if;
    end
    $$
"""


@pytest.fixture
def url(empty_database: EmptyDatabase) -> str:
    """A database without any partition."""
    url = empty_database()
    migrate(url)
    with psycopg.connect(url) as conn:
        conn.execute(AS_CITUS)
    return url


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with connect(url) as conn:
        yield conn


def at(shop: str, moment: datetime, **fields: object) -> ReceivedEvent:
    return msgspec.structs.replace(received(shop, **fields), timestamp=moment)


def poison(one: ReceivedEvent) -> ReceivedEvent:
    """The event as ingestion would have refused it."""
    return msgspec.structs.replace(one, event_type="x" * 200)


def message(*events: ReceivedEvent) -> Message:
    return Message(str(uuid4()), batch(*events))


def letters(conn: Connection) -> list[tuple[str, str, str]]:
    return conn.execute("select id::text, state, error from dead_letters order by error, id").fetchall()


def weeks_of_events(conn: Connection) -> int:
    (count,) = conn.execute("select count(distinct tableoid) from events").fetchone() or (0,)
    return int(count)


def test_an_event_that_cannot_be_stored_stands_in_no_way_of_a_new_partition(conn: Connection, shop: str) -> None:
    good = [at(shop, NOW - number * WEEK, user_id=f"user {number}") for number in (0, 1, 30, 30, 200, 1500)]
    bad = [poison(at(shop, NOW)), poison(at(shop, NOW - 9 * WEEK))]
    assert store(conn, [message(*good[:3], bad[0], *good[3:], bad[1])], queue="events") == (8, 6, 2)
    assert weeks_of_events(conn) == 5
    assert [state for _, state, _ in letters(conn)] == ["dead", "dead"]
    assert differences(conn, shop) == {}


def test_of_messages_together_each_is_stored_alone(conn: Connection, shop: str) -> None:
    together = [message(at(shop, NOW)), message(at(shop, NOW - 20 * WEEK), poison(at(shop, NOW)))]
    with pytest.raises(StoreApart):
        store(conn, together, queue="events")
    assert [store(conn, [one], queue="events") for one in together] == [(1, 1, 0), (2, 1, 1)]
    whole = [message(*(at(shop, NOW - number * WEEK) for number in range(3))) for _ in range(2)]
    assert store(conn, whole, queue="events") == (6, 6, 0)


def test_a_time_that_may_have_no_partition_stands_in_no_way_of_others(conn: Connection, shop: str) -> None:
    now = datetime(2026, 6, 3, 12, tzinfo=UTC)
    kept, horizon, minute = now - 20 * WEEK, now + timedelta(days=60), timedelta(minutes=1)
    conn.execute("insert into kept_events (events_from, said_at) values (%s, now())", [kept])
    refused = [kept - minute, datetime(1969, 12, 31, tzinfo=UTC), horizon + WEEK, now - 2000 * WEEK]
    # The last of them is of a week that there is by then, though none would be made for it.
    good = [kept, now - 7 * WEEK, now, horizon - minute, horizon + minute]
    sent = message(*(at(shop, moment) for moment in (*refused[:2], *good, *refused[2:])))
    assert store_apart(conn, sent, queue="events", now=now) == (9, 5, 4)
    assert all(error.startswith("no partition is made for ") for *_, error in letters(conn))
    stored = conn.execute("select event_time from events order by 1").fetchall()
    assert [moment for (moment,) in stored] == good


def test_a_letter_is_replayed_into_a_week_without_partition(conn: Connection, shop: str) -> None:
    file_message(conn, message(at(shop, NOW), at(shop, NOW)), Failure("it was tried too often"), queue="events")
    mended = msgspec.json.encode(at(shop, NOW - 15 * WEEK))
    for (letter, *_), event in zip(letters(conn), (None, mended), strict=True):
        replay(conn, letter, request=str(uuid4()), event=event)
    replay(conn, str(uuid4()), request=str(uuid4()))  # of none that there is
    assert [state for _, state, _ in letters(conn)] == ["stored"] * 2
    assert conn.execute("select event_time from events order by 1").fetchall() == [(NOW - 15 * WEEK,), (NOW,)]
    assert differences(conn, shop) == {}


def test_many_at_once_make_the_same_partitions(conn: Connection, url: str, shop: str) -> None:
    def sent(number: int) -> ReceivedEvent:
        return at(shop, NOW - number % 12 * WEEK, user_id=f"user {number}")

    file_message(conn, message(*map(sent, range(24))), Failure("it was tried too often"), queue="events")
    waiting = [letter for letter, *_ in letters(conn)]
    start = Barrier(4)

    def store_some(writer: int) -> None:
        with connect(url) as own:
            start.wait()
            own_events = [sent(100 * writer + number) for number in range(24)]
            stored = store_apart(own, message(*own_events, poison(sent(0))), queue="events")
            assert stored == (25, 24, 1)

    def replay_some(writer: int) -> None:
        with connect(url) as own:
            start.wait()
            for letter in waiting[writer::2]:
                replay(own, letter, request=str(uuid4()))

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work, writer) for work in (store_some, replay_some) for writer in (0, 1)]:
            done.result()
    assert sorted(state for _, state, _ in letters(conn)) == ["dead"] * 2 + ["stored"] * 24
    assert conn.execute("select count(*) from events").fetchone() == (72,)
    assert weeks_of_events(conn) == 12
    assert differences(conn, shop) == {}


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ('"2026-03-10T12:00:00Z"', datetime(2026, 3, 10, 12, tzinfo=UTC)),
        ('"2026-03-10T12:00:00+05:30"', datetime(2026, 3, 10, 6, 30, tzinfo=UTC)),
        ('"2026-03-10T12:00:00"', datetime(2026, 3, 10, 12, tzinfo=UTC)),
        ('"9999-12-31T23:59:59-12:00"', None),
        ('"0001-01-01T00:00:00+12:00"', None),
        ('"yesterday\\u0000"', None),
        ('"infinity"', None),
        ("20260310", None),
        ("null", None),
        ("{}", None),
    ],
)
def test_the_time_of_an_event_is_in_utc(written: str, moment: datetime | None) -> None:
    found = time_of(f'{{"timestamp": {written}}}'.encode())
    assert found == moment
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("event", [b"", b"[]", b"7", b"{", b"{}"])
def test_what_is_no_event_has_no_time(event: bytes) -> None:
    assert time_of(event) is None


def test_who_has_not_found_a_partition_reads_their_list_anew(conn: Connection) -> None:
    """Of sessions that make the same partition at once, one in some hundred keeps the list of before until the table
    changes, and would refuse each event of that time. When that happens cannot be chosen: the change can be seen."""
    version = "select xmin::text from pg_attribute where attrelid = 'events'::regclass and attname = 'event_time'"
    conn.execute("select make_partition_anywhere(%s)", [NOW])
    made = conn.execute(version).fetchall()
    conn.execute("select make_partition_anywhere(%s)", [NOW])
    changed = conn.execute(version).fetchall()
    assert changed != made
    make_partitions_ahead(conn, NOW)
    make_partitions_ahead(conn, NOW)
    assert conn.execute(version).fetchall() == changed  # nobody misses what is there already
