"""GET /people/{user_id}/export, DELETE /people/{user_id} and GET /erasures/{erasure_id}."""

import asyncio
import json
import subprocess
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import psycopg
import pytest
from click.testing import CliRunner

import actors
from actors.broker import broker
from actors.people import finish_erasures
from apps.backup.programs import programs
from apps.cli import main
from apps.people import sample
from db.access.keys import NewKey, create_key
from db.access.scopes import Scope
from db.logs import json_lines
from db.store.dead_letters import Failure
from db.store.events import Message, store_events
from db.store.whole_or_apart import file_message
from tests.builders.factories import NOW, batch, received
from tests.conftest import Connection
from tests.db.people.erasing import advance_all, asked, receipt_of, texts
from tests.oracles.recount import differences
from tests.servers.servers import Servers, until

pytestmark = pytest.mark.usefixtures("worker")

RANGE = {"from": "2026-03-01", "to": "2026-04-01"}
#: Reports that count, and do not list people.
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("/stats", {"date": "2026-03-10"}),
    *[("/timeseries", RANGE | {"metric": metric}) for metric in ("events", "views", "users")],
    *[("/breakdown", RANGE | {"dimension": name, "metrics": "events,users"}) for name in ("path", "event_type")],
    ("/breakdown", RANGE | {"dimension": "properties.currency"}),
    ("/breakdown", {"date": "2026-03-10", "dimension": "path"}),
    *[("/revenue", RANGE | more) for more in ({}, {"interval": "day"}, {"filter": "properties.revenue:gte:3"})],
    ("/funnel", RANGE | {"step": ["page_view", "purchase"], "window": "7d"}),
    ("/funnel", RANGE | {"step": ["page_view", "purchase;path:is:/checkout"], "window": "7d"}),
    ("/retention", RANGE | {"interval": "week"}),
    ("/sessions", RANGE),
    ("/sessions", RANGE | {"filter": "path:is:/products/*"}),
    ("/journeys", RANGE | {"path": "/products/lamp", "steps": "3"}),
]


def answers(reporting: httpx.Client, shop: str, person: str) -> list[Any]:
    """What the reports say; the address of the person's page is as it is once they are erased."""
    found = []
    for path, parameters in QUESTIONS:
        answer = reporting.get(path, params={"site_id": shop, **parameters})
        assert answer.status_code == 200, answer.text
        report = json.loads(answer.text.replace(f"/account/{person}", "/account/erased"))
        found.append((path, parameters, {name: value for name, value in report.items() if name != "as_of"}))
    return found


def life_of(shop: str, person: str) -> list[Any]:
    """Some days of a person and of others."""
    order = {"revenue": 12.5, "currency": "EUR", "order_id": f"{person}-1", "email": "anna@example.com"}
    found = []
    for day in range(6):
        for number, user in enumerate((person, "customer-2", None, f"guest {day}")):
            at = NOW - timedelta(days=day, minutes=number)
            for later, path in enumerate((f"/account/{person}", "/products/lamp", "/checkout")):
                stamp = (at + timedelta(seconds=later)).isoformat()
                found.append(received(shop, user_id=user, path=path, timestamp=stamp))
            if day % 2:
                stamp = (at + timedelta(seconds=9)).isoformat()
                one = order | {"order_id": f"{user}-{day}"}
                found.append(
                    received(
                        shop, user_id=user, event_type="purchase", path="/checkout", timestamp=stamp, properties=one
                    )
                )
    return found


def key_for(database_url: str, *scopes: Scope, sites: list[str] | None = None) -> dict[str, str]:
    """The header of a new key."""

    async def make() -> str:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
            _, secret = await create_key(conn, NewKey(name="a test", scopes=list(scopes), sites=sites), by="a test")
            return secret

    return {"authorization": f"Bearer {asyncio.run(make())}"}


def dump(database_url: str, conn: Connection) -> bytes:
    """The whole database as plain text."""
    program = programs(server=conn.info.server_version // 10_000, needed=("pg_dump",)) / "pg_dump"
    return subprocess.run([program, "--dbname", database_url], capture_output=True, check=True).stdout


def redis_files(servers: Servers) -> bytes:
    """What Redis has on disk, once it has rewritten it."""
    until(lambda: not broker.client.info("persistence")["aof_rewrite_in_progress"])
    broker.client.bgrewriteaof()
    until(lambda: not broker.client.info("persistence")["aof_rewrite_in_progress"])
    return b"".join(path.read_bytes() for path in Path(servers.folder / "redis").rglob("*") if path.is_file())


def later(shop: str, **fields: Any) -> bytes:
    """A message with an event after all that the reports are asked for."""
    return batch(received(shop, timestamp=(NOW + timedelta(days=60)).isoformat(), **fields))


def test_a_person_is_gone_everywhere_while_events_go_on_arriving(
    conn: Connection,
    database_url: str,
    servers: Servers,
    reporting: httpx.Client,
    shop: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    person = f"anna-{uuid4().hex}"
    store_events(conn, batch(*life_of(shop, person)))
    letter = batch(received(shop, user_id=person, properties={"email": "x"}), received(shop, user_id="customer-2"))
    file_message(conn, Message(str(uuid4()), letter), Failure(f"bad {person}"), queue="events")
    advance_all(conn, shop)
    # In the queue, where no worker takes it: a retry that is not due yet.
    waiting = later(shop, user_id=person, path=f"/account/{person}", properties={"phone": "1"})
    place, redis_id = f"{broker.namespace}:events.DQ.msgs", str(uuid4())
    broker.client.hset(place, redis_id, actors.events.store_events.message(waiting).encode())

    head, *lines = exported(reporting, shop, person)
    kinds = [line["kind"] for line in lines]
    assert head["counts"] == {kind: kinds.count(kind) for kind in head["counts"]}
    assert head["counts"] == {
        "user": 1, "event": 21, "session": 6, "month": 1, "order": 3, "erasure": 0, "dead_letter": 1, "queued_event": 1,
    }  # fmt: skip
    assert head["queue_searched_in_full"] is True

    assert person.encode() in redis_files(servers)

    before = answers(reporting, shop, person)
    going_on = threading.Event()

    def send() -> None:
        while not going_on.wait(0.005):
            actors.events.store_events.send(later(shop, user_id="customer-3"))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        deleted = reporting.delete(f"/people/{person}", params={"site_id": shop})
    finally:
        going_on.set()
        thread.join()
    assert deleted.status_code == 200, deleted.text
    receipt = deleted.json()
    assert receipt["erased"] | {"sessions": 0, "path_spans": 0, "session_page_days": 0} == {
        "events": 21 + 3 * 6, "users": 1, "sessions": 0, "user_months": 1, "orders": 3, "dead_letters": 2,
        "path_days": 6, "path_spans": 0, "path_totals": 1, "top_paths": 6, "session_page_days": 0,
    }  # fmt: skip
    broker.client.hdel(place, redis_id)
    actors.events.store_events.send(waiting)

    def seen() -> dict[str, Any]:
        found: dict[str, Any] = reporting.get(f"/erasures/{receipt['erasure_id']}", params={"site_id": shop}).json()
        return found

    until(lambda: seen()["erased"].get("queue") == 1)
    until(lambda: seen()["redis_rewritten_at"] and seen()["vacuumed_at"])
    until(lambda: not broker.client.hlen(f"{broker.namespace}:events.msgs"))

    assert differences(conn, shop) == {}
    assert answers(reporting, shop, person) == before
    assert person not in texts(conn, shop)
    assert person.encode() not in dump(database_url, conn)
    assert person.encode() not in redis_files(servers)
    assert not [one for one in caplog.records if person in json_lines().format(one) and one.name != "httpx"]
    audit = reporting.get("/audit", params={"limit": 10}).json()["entries"]
    assert [entry["action"] for entry in audit[:2]] == ["person.erase", "person.export"]
    assert person not in json.dumps(audit)
    head, *lines = exported(reporting, shop, person)
    assert lines == []


def exported(reporting: httpx.Client, shop: str, person: str, **more: Any) -> list[dict[str, Any]]:
    answer = reporting.get(f"/people/{quote(person, safe='')}/export", params={"site_id": shop}, **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize(
    "person", ["a/b/export", "//a//b/", 'it\'s "q" ✓ %2F?#', "ü" * 127 + "x", "export", "receipts/x"]
)
def test_any_id_can_be_exported_and_erased(conn: Connection, reporting: httpx.Client, shop: str, person: str) -> None:
    store_events(conn, batch(received(shop, user_id=person), received(shop, user_id="export ")))
    head, *lines = exported(reporting, shop, person)
    assert (head["user_id"], head["counts"]["event"]) == (person, 1)
    assert {line["kind"] for line in lines} == {"user", "event"}
    address = f"/people/{quote(person, safe='')}"
    assert reporting.head(f"{address}/export", params={"site_id": shop}).status_code == 200
    answer = reporting.delete(address, params={"site_id": shop})
    assert answer.status_code == 200, answer.text
    assert answer.json()["erased"]["events"] == 1
    assert len(exported(reporting, shop, person)) == 1


def test_a_key_of_another_site_or_scope_is_refused(
    conn: Connection, database_url: str, reporting: httpx.Client, shop: str, other: str
) -> None:
    store_events(conn, batch(received(shop, user_id="customer-17"), received(other)))
    receipt = reporting.delete("/people/customer-18", params={"site_id": shop}).json()
    requests = [
        ("GET", "/people/customer-17/export"),
        ("GET", "/people/a/b/export"),
        ("DELETE", "/people/customer-17"),
        ("GET", f"/erasures/{receipt['erasure_id']}"),
    ]
    theirs = key_for(database_url, Scope.PRIVACY_WRITE, sites=[other])
    lacking = key_for(database_url, Scope.EVENTS_READ, Scope.REPORTS_READ, Scope.OPERATIONS)
    ours = key_for(database_url, Scope.PRIVACY_WRITE, sites=[shop])
    for method, path in requests:
        for headers in (theirs, lacking):
            assert reporting.request(method, path, params={"site_id": shop}, headers=headers).status_code == 403
        with_none = {"authorization": ""}
        assert reporting.request(method, path, params={"site_id": shop}, headers=with_none).status_code in (400, 401)
    assert conn.execute("select user_id from users where site_id = %s", [shop]).fetchall() == [("customer-17",)]
    for method, path in requests:
        assert reporting.request(method, path, params={"site_id": shop}, headers=ours).status_code == 200


def test_what_is_wrong_is_said(reporting: httpx.Client, conn: Connection, shop: str, other: str) -> None:
    store_events(conn, batch(received(shop)))
    assert reporting.delete("/people/x").json()["errors"][0]["field"] == "site_id"
    assert reporting.delete("/people/%00", params={"site_id": shop}).json()["errors"][0]["field"] == "user_id"
    assert reporting.delete(f"/people/{'x' * 256}", params={"site_id": shop}).status_code == 400
    for method, path in (("GET", "/people/x/export"), ("DELETE", "/people/x")):
        answer = reporting.request(method, path, params={"site_id": other})
        assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no site {other!r}")
    assert reporting.get("/people/x", params={"site_id": shop}).status_code == 404
    assert reporting.get(f"/erasures/{uuid4()}", params={"site_id": shop}).status_code == 404


def test_the_person_of_the_example_can_be_tried_and_is_nowhere(reporting: httpx.Client) -> None:
    of_shop = {"site_id": "shop"}
    head, *lines = exported(reporting, "shop", sample.USER_ID)
    assert head["user_id"] == sample.USER_ID
    assert lines
    receipt = reporting.delete(f"/people/{sample.USER_ID}", params=of_shop)
    assert receipt.status_code == 200
    shown = reporting.get(f"/erasures/{receipt.json()['erasure_id']}", params=of_shop)
    assert shown.json() == receipt.json()


def test_the_command_shows_what_there_is_asks_and_erases(conn: Connection, shop: str, tmp_path: Path) -> None:
    person = f"customer-{uuid4().hex}"
    store_events(conn, batch(received(shop, user_id=person, properties={"email": "x"})))
    run = CliRunner().invoke
    run(main, ["privacy", "export", person, "--site", shop, "--output", str(tmp_path / "out")], catch_exceptions=False)
    assert [json.loads(line)["kind"] for line in (tmp_path / "out").read_text().splitlines()] == [
        "person", "user", "event",
    ]  # fmt: skip
    refused = run(main, ["privacy", "erase", person, "--site", shop], input="n\n")
    assert refused.exit_code == 1
    assert "1 event\n" in refused.output
    assert person in texts(conn, shop)
    dry = run(main, ["privacy", "erase", person, "--site", shop, "--dry-run"], catch_exceptions=False)
    assert dry.exit_code == 0
    assert person in texts(conn, shop)
    done = run(main, ["privacy", "erase", person, "--site", shop, "--yes"], catch_exceptions=False)
    receipt = json.loads(done.output[done.output.index("{") :])
    assert receipt["erased"]["events"] == 1
    assert receipt["asked_by"] == "command line"
    assert receipt["vacuumed_at"]
    assert person not in texts(conn, shop)
    unknown = run(main, ["privacy", "erase", person, "--site", f"{shop}!", "--yes"])
    assert unknown.exit_code == 1
    assert "there is no site" in unknown.output


def test_what_a_worker_left_is_finished(conn: Connection, database_url: str, shop: str) -> None:
    store_events(conn, batch(received(shop, user_id="customer-17")))
    one = asked(database_url, shop, "customer-17")
    finish_erasures(conn)
    assert "customer-17" in texts(conn, shop)  # a worker may be about to do it
    conn.execute("update erasures set asked_at = now() - interval '2 minutes' where site_id = %s", [shop])
    finish_erasures(conn)
    assert "customer-17" not in texts(conn, shop)
    assert receipt_of(database_url, one).vacuumed_at
    conn.execute("update erased_people set ends_at = now() where site_id = %s", [shop])
    finish_erasures(conn)
    assert conn.execute("select count(*) from erased_people where site_id = %s", [shop]).fetchone() == (0,)
