"""A person is erased: nothing names them, every count stays."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from db.people.erase import TABLES, erase
from db.store.dead_letters import Failure
from db.store.events import Message, store_events
from db.store.whole_or_apart import file_message
from tests.builders.factories import NOW, batch, received
from tests.conftest import Connection
from tests.db.people.erasing import advance_all, asked, erased, message_id, receipt_of, rows, texts, users
from tests.life.mortal import killed_while
from tests.oracles.recount import differences


def test_every_column_that_may_name_a_person_is_known(conn: Connection) -> None:
    found = rows(
        conn,
        "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
        " and a.attnum > 0 and not a.attisdropped and (a.attname ~ 'user_id|visitor|person|customer'"
        " or a.attname in ('path', 'properties', 'payload', 'top_paths', 'order_key', 'entry_page', 'exit_page')"
        " or c.relname in ('agents', 'origins') and a.attname not in ('site_id', 'number'))",
    )
    assert set(found) == {
        ("users", "user_id"),
        *(("agents", name) for name in ("country", "device", "browser", "os", "language")),
        *(("origins", name) for name in ("source", "medium", "campaign", "term", "content", "referrer", "channel")),
        ("counted_orders", "user_id"),
        ("visitors", "user_id"),
        ("visitors", "visitor_id"),
        ("events", "visitor_id"),
        ("events", "user_id"),
        ("events", "path"),
        ("events", "properties"),
        ("sessions", "user_id"),
        ("sessions", "entry_page"),
        ("sessions", "exit_page"),
        ("session_page_days", "path"),
        ("user_months", "user_id"),
        ("orders", "order_key"),
        ("path_days", "path"),
        ("path_spans", "path"),
        ("path_totals", "path"),
        ("top_paths", "top_paths"),
        ("dead_letters", "payload"),
        ("erasures", "user_id"),  # null once it is done
        ("erasures", "person"),  # a hash
        ("erased_people", "person"),
        ("sites", "person_key"),  # the key of these hashes
    }
    assert {table for table, _ in found} - {"sites", "erased_people"} == set(TABLES)


PEOPLE = [
    "customer-17",
    "ab/cd",
    "//a//b/",
    'it\'s "quoted" \\ 100%_x',
    "anna@example.com",
    "Zoë ✓ 北京",
    "ü" * 127 + "x",
    "(.*)+[a-z]{2}?$^|",
    "export",
    "1234567",
]


@pytest.mark.parametrize("person", PEOPLE)
def test_nothing_names_them_and_every_rollup_equals_a_recount(
    conn: Connection, database_url: str, shop: str, person: str
) -> None:
    in_address = quote(person, safe="")
    account = f"/account/{in_address}"
    order = {"revenue": 10, "currency": "EUR", "order_id": f"{person}-1", "products": [{"sku": "a", "price": 10}]}
    store_events(
        conn,
        batch(
            received(shop, user_id=person, path=account, properties={"me": person, "deep": [{"x": [f"u:{person}"]}]}),
            received(shop, user_id=person, path=f"/x{person}y"[:2000], event_type="click"),
            received(shop, user_id=person, event_type="purchase", properties=order | {"email": "anna@example.org"}),
            received(shop, user_id="other", event_type="purchase", properties=order, agent={"os": person}),
            received(shop, user_id="other", origin={"source": "news", "content": person}),
            received(shop, user_id="other", path=account, properties={"referrer": f"https://x{account}", "n": 1}),
            received(shop, path=f"/search?u={in_address}&x=1"),
            received(shop, path=f"{account}0", user_id="other 2"),
            received(shop, path="/account/erased"),
        ),
    )
    letter = batch(received(shop, user_id=person, path="/lost", properties={"a": person}), received(shop, path=account))
    file_message(conn, Message(message_id(), letter), Failure("no"), queue="events")
    advance_all(conn, shop)
    before = counts(conn, shop)
    receipt = erased(database_url, conn, shop, person)
    # Others have `customer-170`, or a part of it: what is not the person's stays.
    told = texts(conn, shop).replace(f"{account}0", "")
    for spelling in {person, in_address, msgspec.json.encode(person).decode()[1:-1]}:
        assert spelling not in told
    assert "anna@example" not in told
    assert differences(conn, shop) == {}
    assert counts(conn, shop) == before
    assert (receipt.erased["events"], receipt.erased["events_of_others"]) == (3, 3)
    assert receipt.erased["dead_letters"] == 2
    assert receipt.erased["users"] == receipt.erased["user_months"] == receipt.erased["orders"] == 1
    (pseudonym,) = [name for name in users(conn, shop) if name.startswith("erased-")]
    assert len(rows(conn, "select 1 from events where site_id = %s and user_id = %s", shop, pseudonym)) == 3
    kept = rows(conn, "select properties from events where site_id = %s and event_type = 'purchase'", shop)
    assert {one["order_id"] for (one,) in kept} == {f"{pseudonym}-1"}
    assert all(one["products"] == order["products"] and one["revenue"] == 10 for (one,) in kept)


def counts(conn: Connection, shop: str) -> list[Any]:
    return rows(
        conn,
        "select 'h', event_type, sum(events), sum(anonymous) from event_hours where site_id = %(s)s group by 2"
        " union all select 'p', event_type, sum(events), 0 from path_days where site_id = %(s)s group by 2"
        " union all select 'u', event_type, bit_count(bit_or(users)), 0 from user_days where site_id = %(s)s group by 2"
        " union all select 'o', outcome, events, amount from sale_days where site_id = %(s)s"
        " union all select 's', '', sum(sessions), sum(views) from session_days where site_id = %(s)s"
        " order by 1, 2, 3, 4".replace("%(s)s", f"'{shop}'"),
    )


@pytest.mark.parametrize("person", ["7", "abc", "1234"])
def test_a_short_id_goes_from_their_own_events_only(
    conn: Connection, database_url: str, shop: str, person: str
) -> None:
    mine = {"seats": int(person) if person.isdigit() else 1, "plan": f"plan {person}", "me": person, "email": "x"}
    store_events(
        conn,
        batch(
            received(shop, user_id=person, path=f"/account/{person}", properties=mine),
            received(shop, user_id=person, path=f"/products/{person}0"),
            received(
                shop, user_id=person, event_type="purchase", properties={"order_id": person, "revenue": person + "0"}
            ),
            received(shop, user_id="other", path=f"/account/{person}", properties=mine),
            received(shop, path=f"/account/{person}"),
        ),
    )
    advance_all(conn, shop)
    before = counts(conn, shop)
    erased(database_url, conn, shop, person)
    assert differences(conn, shop) == {}
    assert counts(conn, shop) == before
    own = rows(
        conn, "select path, properties from events where site_id = %s and user_id like 'erased-%%' order by path", shop
    )
    assert [path for path, _ in own] == ["/", "/account/erased", f"/products/{person}0"]
    assert own[1][1] == {"plan": f"plan {person}"} | ({} if person.isdigit() else {"seats": 1})
    others = rows(
        conn,
        "select path, properties from events where site_id = %s and (user_id is null or user_id = 'other')",
        shop,
    )
    assert {path for path, _ in others} == {f"/account/{person}"}
    assert [one for _, one in others if one] == [mine]


def test_of_events_at_one_moment_the_first_and_the_last_page_stay_exact(
    conn: Connection, database_url: str, shop: str
) -> None:
    paths = ["/account/customer-17", "/account/d", "/account/customer-17/z", "/account/f"]
    store_events(
        conn, batch(*(received(shop, user_id=user, path=path) for user in ("customer-17", "b") for path in paths))
    )
    advance_all(conn, shop)
    erased(database_url, conn, shop, "customer-17")
    # A rebuild of the sessions would find the same.
    (found,) = {*rows(conn, "select entry_page, exit_page from sessions where site_id = %s", shop)}
    assert found == ("/account/d", "/account/f")


def test_whoever_is_killed_has_changed_nothing_and_the_next_one_finishes_it(
    conn: Connection, database_url: str, shop: str
) -> None:
    store_events(conn, batch(*(received(shop, user_id="customer-17", path=f"/{n}/customer-17") for n in range(300))))
    advance_all(conn, shop)
    one = asked(database_url, shop, "customer-17")
    for _ in range(4):
        killed_while(database_url, lambda other: erase(other, shop, one.erasure_id))
        done = receipt_of(database_url, one).done_at
        assert ("customer-17" in texts(conn, shop)) == (done is None)
        assert differences(conn, shop) == {}
    erase(conn, shop, one.erasure_id)
    erase(conn, shop, one.erasure_id)
    found = receipt_of(database_url, one)
    assert found.done_at
    assert found.erased["events"] == 300
    assert "customer-17" not in texts(conn, shop)
    assert differences(conn, shop) == {}


def test_another_site_keeps_its_own(conn: Connection, database_url: str, shop: str, other: str) -> None:
    store_events(conn, batch(*(received(site, user_id="customer-17", path="/customer-17") for site in (shop, other))))
    one = erased(database_url, conn, shop, "customer-17")
    waiting = received(other, user_id="customer-17", timestamp=(NOW + timedelta(hours=1)).isoformat())
    store_events(conn, batch(msgspec.structs.replace(waiting, received_at=NOW)))
    assert users(conn, other) == ["customer-17"]
    assert one.person != erased(database_url, conn, other, "customer-17").person
