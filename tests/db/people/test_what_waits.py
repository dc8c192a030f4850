"""What of an erased person waits in the queue, comes again, or is replayed."""

import threading
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest

from db.dead_letters.replay import replay
from db.people.erase import erase
from db.people.letters import ERASED
from db.people.receipts import unfinished
from db.store.dead_letters import Failure
from db.store.events import Message, forget_event_ids, store_events, store_messages
from db.store.whole_or_apart import file_message
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.db.people.erasing import advance_all, asked, erased, message_id, receipt_of, rows, texts, users
from tests.oracles.recount import differences


def test_what_waits_is_caught_and_what_comes_later_is_a_new_person(
    conn: Connection, database_url: str, shop: str
) -> None:
    store_events(conn, batch(received(shop, user_id="customer-17")))
    waiting = batch(
        received(shop, user_id="customer-17", path="/account/customer-17", properties={"phone": "1", "size": 2}),
        received(shop, user_id="other", properties={"phone": "2"}),
    )
    dead = batch(received(shop, user_id="customer-17", properties={"phone": "1"}), received(shop, user_id="other"))
    one = erased(database_url, conn, shop, "customer-17")
    store_messages(conn, [Message(message_id(), waiting)])
    file_message(conn, Message(message_id(), dead), Failure("no"), queue="events")
    assert "customer-17" not in texts(conn, shop)
    (pseudonym, other) = users(conn, shop)
    assert other == "other"
    found = rows(conn, "select user_id, path, properties from events where site_id = %s order by event_id", shop)
    assert found == [
        (pseudonym, "/", None),
        (pseudonym, "/account/erased", {"size": 2}),
        ("other", "/", {"phone": "2"}),
    ]
    assert receipt_of(database_url, one).erased["queue"] == 1
    letters = rows(conn, "select payload from dead_letters where site_id = %s", shop)
    assert sorted(bytes(payload) == b'{"erased":true}' for (payload,) in letters) == [False, True]

    store_events(conn, batch(received(shop, user_id="customer-17")))
    assert users(conn, shop) == [pseudonym, "other", "customer-17"]
    assert differences(conn, shop) == {}
    erased(database_url, conn, shop, "customer-17")
    assert "customer-17" not in texts(conn, shop)
    assert len({*users(conn, shop)}) == 3


def test_visitors_go_with_their_person_wherever_they_wait(conn: Connection, database_url: str, shop: str) -> None:
    own = {"visitor_id": "browser-17", "properties": {"seen": "browser-17", "size": 2}}
    shared = {"visitor_id": "browser-17", "user_id": "other", "properties": {"a": "browser-17", "b": 1}}
    store_events(conn, batch(received(shop, **own), received(shop, **shared | {"visitor_id": "z", "user_id": "other"})))
    store_events(conn, batch(received(shop, **own | {"user_id": "customer-17"})))
    store_events(conn, batch(received(shop, **shared)))
    waiting = batch(*(received(shop, **one) for one in (own, own | {"user_id": "customer-17"}, shared)))
    dead = batch(received(shop, **own), received(shop, **shared))
    file_message(conn, Message(message_id(), dead), Failure("no"), queue="events")
    advance_all(conn, shop)
    one = erased(database_url, conn, shop, "customer-17")
    store_messages(conn, [Message(message_id(), waiting)])
    file_message(conn, Message(message_id(), dead), Failure("no"), queue="events")
    assert not {name for name in ("customer-17", "browser-17") if name in texts(conn, shop)}
    assert one.erased["visitors"] == 1
    (*_, pseudonym) = sorted(users(conn, shop), key=lambda name: name.startswith("erased-"))
    assert len(users(conn, shop)) == 2
    found = rows(conn, "select user_id, visitor_id, properties from events where site_id = %s", shop)
    assert sorted(user for user, *_ in found) == [pseudonym] * 4 + ["other"] * 3
    assert {(visitor, str(properties)) for user, visitor, properties in found if user == pseudonym} == {
        (None, "{'size': 2}")
    }
    letters = rows(conn, "select payload from dead_letters where site_id = %s", shop)
    assert sorted(bytes(payload) == b'{"erased":true}' for (payload,) in letters) == [False, False, True, True]
    assert differences(conn, shop) == {}
    # From now on the browser is somebody new.
    store_events(conn, batch(received(shop, **own)))
    assert len(users(conn, shop)) == 3
    assert differences(conn, shop) == {}


def test_a_flush_that_waits_for_the_erasure_stores_nobody(conn: Connection, database_url: str, shop: str) -> None:
    store_events(conn, batch(received(shop, user_id="customer-17")))
    one = asked(database_url, shop, "customer-17")
    events = batch(received(shop, user_id="customer-17"), received(shop, user_id="b"))

    def flush() -> None:
        with psycopg.connect(database_url, autocommit=True) as other:
            store_messages(other, [Message(message_id(), events)])

    thread = threading.Thread(target=flush)
    with psycopg.connect(database_url) as eraser:  # its transaction goes on until the end of this
        erase(eraser, shop, one.erasure_id)
        thread.start()
        blocked = "select count(*) from pg_stat_activity where %s = any (pg_blocking_pids(pid))"
        while not rows(conn, blocked, eraser.info.backend_pid)[0][0]:
            pass
    thread.join()
    assert "customer-17" not in texts(conn, shop)
    assert len(users(conn, shop)) == 2
    assert differences(conn, shop) == {}


def test_a_replay_of_an_emptied_letter_says_why_it_is_dead(conn: Connection, database_url: str, shop: str) -> None:
    store_events(conn, batch(received(shop)))
    dead = batch(received(shop, user_id="customer-17"))
    failure = Failure("what is customer-17?")
    file_message(conn, Message(message_id(), dead), failure, queue="events")
    erased(database_url, conn, shop, "customer-17")
    ((letter, error),) = rows(conn, "select id::text, error from dead_letters where site_id = %s", shop)
    assert "customer-17" not in error
    replay(conn, letter, request=letter)
    assert rows(conn, "select state, error, attempts from dead_letters where site_id = %s", shop) == [
        ("dead", "its person is erased", 2)
    ]


def test_a_letter_of_two_erased_people_is_as_empty_as_that_of_one(
    conn: Connection, database_url: str, shop: str
) -> None:
    """Of one by its user, of the other by the visitor."""
    store_events(conn, batch(received(shop, user_id="customer-17"), received(shop, user_id="customer-18")))
    dead = batch(received(shop, user_id="customer-17", visitor_id="customer-18"))
    for person in ("customer-17", "customer-18"):
        erased(database_url, conn, shop, person)
    file_message(conn, Message(message_id(), dead), Failure("no"), queue="events")
    ((letter, payload),) = rows(conn, "select id::text, payload from dead_letters where site_id = %s", shop)
    assert bytes(payload) == ERASED
    replay(conn, letter, request=letter)
    assert rows(conn, "select error from dead_letters where site_id = %s", shop) == [("its person is erased",)]


def test_events_that_are_sent_again_stay_nameless(conn: Connection, database_url: str, shop: str) -> None:
    events = [received(shop, user_id="customer-17", event_id="019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f")]
    store_events(conn, batch(*events))
    erased(database_url, conn, shop, "customer-17")
    again = [msgspec.structs.replace(one, received_at=datetime.now(UTC)) for one in events]
    assert store_events(conn, batch(*again)).stored == 0
    # Its id is forgotten after eight days; the event itself, with its id and time, is still there.
    forget_event_ids(conn, datetime.now(UTC) + timedelta(days=9))
    assert store_events(conn, batch(*again)).stored == 0
    assert "customer-17" not in texts(conn, shop)


@pytest.mark.parametrize("link_comes", ["first", "last", "in one flush"])
def test_a_visitor_of_whom_only_the_queue_tells_goes_with_their_person(
    conn: Connection, database_url: str, shop: str, other: str, link_comes: str
) -> None:
    link = {"user_id": "customer-17", "visitor_id": "browser-17", "path": "/a"}
    view = {"visitor_id": "browser-17", "path": "/b", "properties": {"seen": "browser-17"}}
    for site in (shop, other):  # the twin's customer is not erased
        store_events(conn, batch(received(site, user_id="customer-17"), received(site, **view)))
    waiting = {site: [batch(received(site, **one)) for one in (link, view)] for site in (shop, other)}
    if link_comes == "in one flush":
        waiting = {site: [batch(received(site, **link), received(site, **view))] for site in (shop, other)}
    late = batch(received(shop, **view))
    one = erased(database_url, conn, shop, "customer-17")
    (pseudonym,) = (name for name in users(conn, shop) if name.startswith("erased-"))
    for batches in waiting.values():
        for each in reversed(batches) if link_comes == "last" else batches:
            store_messages(conn, [Message(message_id(), each)])
    assert len(users(conn, shop)) == len(users(conn, other)) == 1
    receipt = receipt_of(database_url, one)
    assert receipt.done_at is None
    (again,) = [erasure for site, erasure in unfinished(conn, datetime.now(UTC) + timedelta(hours=1)) if site == shop]
    assert again == one.erasure_id
    erase(conn, shop, again)
    assert users(conn, shop) == [pseudonym]
    assert "browser-17" not in texts(conn, shop)
    assert "customer-17" not in texts(conn, shop)
    receipt = receipt_of(database_url, one)
    assert receipt.done_at
    assert (receipt.erased["events"], receipt.erased["queue"] >= 1) == (4, True)
    for site in (shop, other):
        advance_all(conn, site)
        assert differences(conn, site) == {}

    # What the visitor does later is a new person's; what they did before, and comes only now, is not.
    store_messages(conn, [Message(message_id(), late)])
    assert users(conn, shop) == [pseudonym]
    store_events(conn, batch(received(shop, **view)))
    assert users(conn, shop) == [pseudonym, "browser-17"]


def test_a_visitor_of_somebody_else_stays_theirs(conn: Connection, database_url: str, shop: str) -> None:
    theirs = {"visitor_id": "browser-17", "user_id": "other"}
    store_events(conn, batch(received(shop, **theirs), received(shop, user_id="customer-17")))
    waiting = batch(received(shop, visitor_id="browser-17", user_id="customer-17"), received(shop, **theirs))
    one = erased(database_url, conn, shop, "customer-17")
    store_messages(conn, [Message(message_id(), waiting)])
    assert receipt_of(database_url, one).done_at
    found = rows(conn, "select user_id, visitor_id from events where site_id = %s and user_id <> 'other'", shop)
    assert {visitor for _, visitor in found} == {None}
    assert rows(conn, "select visitor_id, user_id from visitors where site_id = %s", shop) == [("browser-17", "other")]
