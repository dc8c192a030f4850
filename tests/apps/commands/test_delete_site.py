"""`tjra delete`: all of a site goes at once, nothing of another, and the ledger goes on balancing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, get_args
from uuid import uuid4

import httpx
import psycopg
import pytest
from click.testing import CliRunner, Result

import actors
from apps.cli import main
from db.dead_letters.replay import replay
from db.ledger import imports
from db.ledger.balance import Count, count_accepted
from db.people.erase import erase
from db.rollups.advance import Rollup, advance
from db.sites.deletion import NoSuchSite, contents, delete_site
from db.store.events import store_events
from tests.builders.factories import NOW, batch, event, received
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.servers.servers import until

#: How many events of a day were accepted and stored is no part of a site.
LEDGER = {"settled_days", "accepted_days"}
SALE = {"order_id": "1", "revenue": 10, "currency": "EUR", "products": [{"product_id": "lamp", "price": 10}]}


def tables(conn: Connection) -> set[str]:
    """Every table that has a site_id."""
    query = """
        select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where a.attname = 'site_id' and c.relkind in ('r', 'p') and not c.relispartition
            and c.relnamespace = 'public'::regnamespace
    """
    return {name for (name,) in conn.execute(query)}


def rows(conn: Connection, site: str) -> dict[str, list[Any]]:
    """What each table has of a site."""
    found = {name: conn.execute(f"select * from {name} where site_id = %s".encode(), [site]) for name in tables(conn)}
    return {name: sorted(map(str, cur.fetchall())) for name, cur in found.items()}


def fill(conn: Connection, site: str) -> None:
    """Rows in every table."""
    for days in (60, 31, 1):
        fields = {"timestamp": (NOW - timedelta(days=days)).isoformat(), "user_id": "ann", "visitor_id": "v"}
        sale = received(
            site, event_type="purchase", event_id=str(uuid4()), properties=SALE | {"order_id": f"{days}"}, **fields
        )
        known = {"agent": {"device": "mobile"}, "origin": {"source": "news"}}
        store_events(conn, batch(received(site, **fields | known), sale))
    for rollup in get_args(Rollup):
        while advance(conn, rollup, site, target=NOW):
            pass
    letter = (
        "insert into dead_letters (id, site_id, queue, payload, error) values (gen_random_uuid(), %s, 'events', '', '')"
    )
    conn.execute(letter.encode(), [site])
    conn.execute("insert into site_settings (site_id) values (%s)", [site])
    imports.note(conn, site, "3f9a2c0b7d15", imports.Import(files=[], began_at=NOW))
    erasure = str(uuid4())
    asked = "insert into erasures (site_id, erasure_id, person, user_id, asked_by) values (%s, %s, %s, 'cat', 'a test')"
    conn.execute(asked.encode(), [site, erasure, site.encode()])
    erase(conn, site, erasure)
    count_accepted(conn, source="one", counted_at=NOW, counts=[Count(site, NOW.date(), 1)])


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(main, ["delete", *arguments], input=answer)


def test_no_table_is_forgotten_and_no_other_site_touched(conn: Connection, shop: str, other: str) -> None:
    for site in (shop, other):
        fill(conn, site)
    before = rows(conn, shop)
    assert {name for name, found in before.items() if not found} == set()
    theirs = rows(conn, other)
    deleted = delete_site(conn, shop, by="a test")
    assert deleted == {name: len(found) for name, found in before.items() if name not in LEDGER}
    assert {name for name, found in rows(conn, shop).items() if found} == LEDGER
    assert rows(conn, other) == theirs
    with pytest.raises(NoSuchSite):
        delete_site(conn, shop, by="a test")
    # The site may come again.
    fill(conn, shop)
    assert differences(conn, shop) == {}


def test_it_tells_what_would_go_and_asks_for_the_name(conn: Connection, shop: str) -> None:
    fill(conn, shop)
    before = rows(conn, shop)
    told = [
        f"{shop} has",
        "  6 events from 2026-01-09 12:00 to 2026-03-09 12:00 UTC",
        "  1 users",
        "  3 orders with an id",
        "  3 days of rollups, with 6 events",
        "  1 dead letters",
    ]
    dry = run("--site", shop, "--dry-run")
    assert (dry.exit_code, dry.output.splitlines()) == (0, told)
    wrong = run("--site", shop, answer="shop\n")
    assert wrong.exit_code == 1
    assert wrong.output.splitlines()[:6] == told
    assert "that is not its name: nothing was deleted" in wrong.output
    assert run("--site", shop).exit_code == 1  # nobody answers
    assert rows(conn, shop) == before
    right = run("--site", shop, answer=f"{shop}\n")
    assert right.exit_code == 0
    assert f"deleted {shop}: 6 events" in right.output
    assert "still in the queue or arrive later are stored and create the site again" in right.output
    gone = run("--site", shop, "--yes")
    assert gone.exit_code == 2
    assert f"there is no site '{shop}'" in gone.output


def test_scripts_need_not_be_asked(conn: Connection, shop: str) -> None:
    fill(conn, shop)
    assert run("--site", shop, "--yes").exit_code == 0
    with pytest.raises(NoSuchSite):
        contents(conn, shop)


def test_without_a_site_nothing_goes() -> None:
    assert run("--yes").exit_code == 2
    assert run("--site", "", "--yes").exit_code == 2


def waits(watcher: Connection, conn: Connection) -> bool:
    """Whether a connection waits for a lock. Within a transaction the answer would never change."""
    query = "select from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
    return watcher.execute(query, [conn.info.backend_pid]).fetchone() is not None


def connect(database_url: str) -> Connection:
    return psycopg.connect(database_url, autocommit=True)


def test_who_stores_events_of_it_waits_and_makes_it_anew(database_url: str, conn: Connection, shop: str) -> None:
    fill(conn, shop)
    late = batch(received(shop, user_id="bob"))
    with ThreadPoolExecutor(1) as threads, connect(database_url) as deleting, connect(database_url) as watcher:
        with deleting.transaction():
            delete_site(deleting, shop, by="a test")
            storing = threads.submit(store_events, conn, late)
            until(lambda: waits(watcher, conn))
        assert storing.result().stored == 1
    assert contents(conn, shop).events == 1
    assert differences(conn, shop) == {}


def test_it_gets_along_with_who_replays_its_dead_letters(database_url: str, conn: Connection, shop: str) -> None:
    store_events(conn, batch(received(shop)))
    letter = "insert into dead_letters (id, site_id, queue, payload, error) values (%s, %s, 'events', %s, '')"
    letter_id = str(uuid4())
    conn.execute(letter.encode(), [letter_id, shop, batch(received(shop, path="/again"))[1:-1]])
    with ThreadPoolExecutor(1) as threads, connect(database_url) as replaying, connect(database_url) as watcher:
        try:
            with replaying.transaction():
                replaying.execute("select from dead_letters where id = %s for update", [letter_id])
                deleted = threads.submit(delete_site, conn, shop, by="a test")
                until(lambda: waits(watcher, conn))
                # It has the letter and wants the site; we have the site and want the letter: one of us begins again.
                replay(replaying, letter_id, request=letter_id)
        except psycopg.errors.DeadlockDetected:
            deleted.result()
            replay(replaying, letter_id, request=letter_id)  # as a worker does
        assert deleted.result()["sites"] == 1
    with pytest.raises(NoSuchSite):
        contents(conn, shop)


@pytest.mark.usefixtures("worker")
def test_the_ledger_balances_afterwards(
    ingestion: httpx.Client, reporting: httpx.Client, conn: Connection, shop: str, other: str
) -> None:
    def accounts(site: str) -> dict[str, int]:
        (found,) = reporting.get("/accounting", params={"site_id": site}).json()["accounts"]
        return {name: found[name] for name in ("accepted", "stored", "duplicates", "in_flight", "unaccounted")}

    def send(events: int) -> None:
        for site in (shop, other):
            ingestion.post("/events", json=[event(site) for _ in range(events)]).raise_for_status()

    def settled(events: int) -> bool:
        balance = {"accepted": events, "stored": events, "duplicates": 0, "in_flight": 0, "unaccounted": 0}
        return accounts(shop) == accounts(other) == balance

    send(3)
    until(lambda: settled(3))
    assert run("--site", shop, "--yes").exit_code == 0
    assert settled(3)
    assert reporting.get("/sites", params={"search": shop}).json()["sites"] == []
    assert reporting.get("/stats", params={"site_id": shop}).json()["total_views"] == 0
    actors.maintenance.count_accepted.send()
    kept = "select sum(events) from accepted_days where site_id = %s"
    until(lambda: conn.execute(kept, [shop]).fetchone() == (3,))
    assert settled(3)
    send(2)
    until(lambda: settled(5))
    assert reporting.get("/stats", params={"site_id": shop}).json()["total_views"] == 2
    assert reporting.get("/stats", params={"site_id": other}).json()["total_views"] == 5
    assert run("--site", shop, "--yes").exit_code == 0
    actors.maintenance.count_accepted.send()
    until(lambda: conn.execute(kept, [shop]).fetchone() == (5,))
    assert settled(5)
    assert reporting.get("/accounting", params={"site_id": shop}).json()["balanced"] is True
