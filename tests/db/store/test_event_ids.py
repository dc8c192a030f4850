"""An id is an id: the same event_id counts once, whatever else the event says, for eight days after its arrival."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import psycopg
import pytest

from db.dead_letters.replay import replay
from db.events.event import ReceivedEvent
from db.store.dead_letters import Failure
from db.store.events import IDS_KEPT, Message, forget_event_ids, store_events, store_messages
from db.store.whole_or_apart import file_message, store_apart
from tests.builders.factories import NOW, batch, event, received
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.servers.servers import until

#: What may be different of an event that comes again.
CHANGES: list[dict[str, Any]] = [
    {"timestamp": NOW + timedelta(milliseconds=1)},
    {"timestamp": NOW - timedelta(days=400)},
    {"path": "/other"},
    {"event_type": "purchase", "properties": {"revenue": 2, "currency": "EUR", "order_id": "1"}},
    {"user_id": None},
]


def again(one: ReceivedEvent, **changes: Any) -> ReceivedEvent:
    """The event as a client sends it again."""
    return msgspec.structs.replace(one, id_made=False, received_at=one.received_at + timedelta(minutes=5), **changes)


def stored(conn: Connection, site: str) -> list[tuple[datetime, str]]:
    query = "select event_time, path from events where site_id = %s order by event_time, path"
    return conn.execute(query, [site]).fetchall()


@pytest.mark.some(12)
@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: " and ".join(changes))
@pytest.mark.parametrize("made", [False, True], ids=["a client's id", "an id from our answer"])
@pytest.mark.parametrize("flushes", [1, 2, 3])
def test_the_first_one_counts(conn: Connection, shop: str, changes: dict[str, Any], made: bool, flushes: int) -> None:
    one = received(shop, user_id="ann") if made else received(shop, user_id="ann", event_id=str(uuid4()))
    assert one.id_made == made
    sent = [again(one, path="/later still"), one, again(one, **changes)]  # in the order in which they happen to come
    batches = {1: [sent], 2: [sent[1:2], sent[::2]], 3: [[each] for each in sent[1:] + sent[:1]]}[flushes]
    counts = [store_events(conn, batch(*events)).stored for events in batches]
    assert sum(counts) == 1
    assert stored(conn, shop) == [(one.timestamp, "/")]
    assert differences(conn, shop) == {}


def test_ours_may_come_after_what_was_sent_again(conn: Connection, shop: str) -> None:
    one = received(shop, user_id="ann")
    assert store_events(conn, batch(again(one, path="/sent again"))).stored == 1
    assert store_events(conn, batch(one, received(shop, user_id="bob"))).stored == 1
    assert [path for _, path in stored(conn, shop)] == ["/", "/sent again"]
    assert differences(conn, shop) == {}


@pytest.mark.parametrize("made", [False, True], ids=["clients' ids", "ids from our answers"])
def test_flushes_side_by_side_store_each_id_once(database_url: str, conn: Connection, shop: str, made: bool) -> None:
    ids: list[dict[str, Any]] = [{} if made else {"event_id": str(uuid4())} for _ in range(300)]
    first = [received(shop, user_id=f"user {number}", **one) for number, one in enumerate(ids)]
    sides = [first, *([again(one, timestamp=NOW + timedelta(seconds=side)) for one in first] for side in range(1, 4))]

    def store(side: list[ReceivedEvent]) -> int:
        with psycopg.connect(database_url, autocommit=True, prepare_threshold=None) as own:
            # In pieces, so that they meet in the middle of each other.
            pieces = [side[start : start + 30] for start in range(0, len(side), 30)]
            count = 0
            for piece in pieces:
                while True:
                    try:
                        count += store_messages(own, [Message(str(uuid4()), batch(*piece))]).stored
                        break
                    except psycopg.errors.DeadlockDetected:  # as a worker does
                        continue
            return count

    with ThreadPoolExecutor(len(sides)) as threads:
        assert sum(threads.map(store, sides)) == len(first)
    query = "select count(*), count(distinct event_id) from events where site_id = %s"
    assert conn.execute(query, [shop]).fetchone() == (300, 300)
    assert differences(conn, shop) == {}


def test_it_holds_for_eight_days_and_after_them_by_time(conn: Connection, shop: str) -> None:
    one, now = received(shop, event_id=str(uuid4())), datetime.now(UTC)
    assert store_events(conn, batch(one), now=now).stored == 1
    forget_event_ids(conn, now=now + IDS_KEPT)
    assert store_events(conn, batch(again(one, path="/a week later")), now=now + IDS_KEPT).stored == 0
    forget_event_ids(conn, now=now + IDS_KEPT + timedelta(seconds=1))
    # From here on it is known by its time as well, as an import that runs again needs it.
    late = now + IDS_KEPT + timedelta(hours=1)
    assert store_events(conn, batch(again(one, path="/sent again"), received(shop, path="/new")), now=late).stored == 1
    assert store_events(conn, batch(again(one, timestamp=NOW + timedelta(days=1), path="/other")), now=late).stored == 0
    forget_event_ids(conn, now=late + IDS_KEPT + timedelta(seconds=1))
    other = again(one, timestamp=NOW + timedelta(days=1), path="/another event")
    assert store_events(conn, batch(other), now=late + IDS_KEPT * 2).stored == 1
    assert [path for _, path in stored(conn, shop)] == ["/", "/new", "/another event"]
    assert differences(conn, shop) == {}


def test_what_could_not_be_stored_leaves_no_id_behind(conn: Connection, shop: str) -> None:
    bad = received(shop, event_id=str(uuid4()), timestamp="2026-03-10T12:00:00Z")
    spoiled = batch(bad).replace(b"page_view", b"p" * 200)
    assert store_apart(conn, Message(str(uuid4()), spoiled), queue="events") == (1, 0, 1)
    assert store_events(conn, batch(bad)).stored == 1


def test_a_dead_letter_that_is_replayed_late_is_a_duplicate_of_what_was_sent_again(conn: Connection, shop: str) -> None:
    one = received(shop, event_id=str(uuid4()))
    message = Message(str(uuid4()), batch(one))
    file_message(conn, message, Failure("it was tried too often"), queue="events")
    assert store_events(conn, batch(again(one, timestamp=NOW + timedelta(seconds=3)))).stored == 1
    (letter,) = conn.execute("select id::text from dead_letters where site_id = %s", [shop]).fetchone() or ("",)
    replay(conn, letter, request=str(uuid4()))
    assert conn.execute("select state from dead_letters where id = %s", [letter]).fetchone() == ("duplicate",)
    query = "select stored, duplicates, dead from settled_days where site_id = %s"
    assert conn.execute(query, [shop]).fetchone() == (1, 1, 0)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        ("/v1/batch", {"timestamp": "2026-11-28T12:00:00.001Z"}, {"timestamp": "2026-11-28T12:00:00.002Z"}),
        ("/v1/batch", {}, {"timestamp": "2026-11-28T12:00:00.002Z"}),
        ("/v1/batch", {}, {}),
    ],
)
def test_an_sdk_that_stamps_each_call_anew_counts_once(
    conn: Connection,
    ingestion: httpx.Client,
    shop: str,
    path: str,
    first: dict[str, Any],
    second: dict[str, Any],
) -> None:
    call = {"type": "track", "event": "O", "userId": "u", "messageId": "order-1"}
    for times in (first, second):
        answer = ingestion.post(path, json={"writeKey": shop, "batch": [call | times]})
        assert answer.status_code < 300, answer.text
    query = "select coalesce(sum(stored), 0), coalesce(sum(duplicates), 0) from settled_days where site_id = %s"
    until(lambda: conn.execute(query, [shop]).fetchone() == (1, 1))
    assert len(stored(conn, shop)) == 1


@pytest.mark.usefixtures("worker")
def test_an_event_that_is_sent_again_by_the_id_of_our_answer_counts_once(
    conn: Connection, ingestion: httpx.Client, shop: str
) -> None:
    event_id = ingestion.post("/event", json=event(shop)).raise_for_status().json()["event_id"]
    later = event(shop, event_id=event_id, timestamp=(NOW + timedelta(seconds=1)).isoformat())
    ingestion.post("/event", json=later).raise_for_status()
    query = "select sum(stored), sum(duplicates) from settled_days where site_id = %s"
    until(lambda: conn.execute(query, [shop]).fetchone() == (1, 1))
