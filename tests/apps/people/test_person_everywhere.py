"""A person is in events, rollups, dead letters and the queue at once, and is erased while events go on arriving."""

import json
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

import actors
from actors.broker import broker
from apps.backup.programs import programs
from db.logs import json_lines
from db.store.dead_letters import Failure
from db.store.events import Message, store_events
from db.store.whole_or_apart import file_message
from tests.apps.people.asking import exported
from tests.builders.factories import NOW, batch, received
from tests.conftest import Connection
from tests.db.people.erasing import advance_all, texts
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


def dump(database_url: str, conn: Connection) -> bytes:
    """The whole database as plain text."""
    program = programs(server=conn.info.server_version // 10_000, needed=("pg_dump",)) / "pg_dump"
    return subprocess.run([program, "--dbname", database_url], capture_output=True, check=True).stdout


def redis_files(servers: Servers) -> bytes:
    """What Redis has on disk."""
    return b"".join(path.read_bytes() for path in Path(servers.folder / "redis").rglob("*") if path.is_file())


def rewritten(servers: Servers) -> bytes:
    """The same once Redis has written it anew, in plain text."""
    broker.client.config_set("rdbcompression", "no")
    until(lambda: not broker.client.info("persistence")["aof_rewrite_in_progress"])
    broker.client.bgrewriteaof()
    until(lambda: not broker.client.info("persistence")["aof_rewrite_in_progress"])
    return redis_files(servers)


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
    # To the present, as maintenance does meanwhile: reports say from where they have their numbers.
    advance_all(conn, shop, datetime.now(UTC) - timedelta(hours=3))
    # In the queue, where no worker takes it: a retry that is not due yet.
    waiting = later(shop, user_id=person, path=f"/account/{person}", properties={"phone": "1"})
    place, redis_id = f"{broker.namespace}:events.DQ.msgs", str(uuid4())
    broker.client.hset(place, redis_id, actors.events.store_events.message(waiting).encode())

    head, *lines = exported(reporting, shop, person)
    kinds = [line["kind"] for line in lines]
    assert head["counts"] == {kind: kinds.count(kind) for kind in head["counts"]}
    assert head["counts"] == {
        "user": 1, "visitor": 0, "event": 21, "session": 6, "month": 1, "order": 3, "erasure": 0,
        "dead_letter": 1, "queued_event": 1,
    }  # fmt: skip
    assert head["queue_searched_in_full"] is True

    for before_it in (redis_files, rewritten):
        assert person.encode() in before_it(servers)

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
        "events": 21, "events_of_others": 3 * 6, "users": 1, "visitors": 0, "sessions": 0, "user_months": 1,
        "orders": 3, "dead_letters": 2, "path_days": 6, "path_spans": 0, "path_totals": 1, "top_paths": 6,
        "session_page_days": 0, "counted_orders": 3, "agents": 0, "origins": 0,
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
    assert person.encode() not in rewritten(servers)
    assert not [one for one in caplog.records if person in json_lines().format(one) and one.name != "httpx"]
    audit = reporting.get("/audit", params={"limit": 10}).json()["entries"]
    assert [entry["action"] for entry in audit[:2]] == ["person.erase", "person.export"]
    assert person not in json.dumps(audit)
    head, *lines = exported(reporting, shop, person)
    assert lines == []
