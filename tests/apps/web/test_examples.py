"""The examples that the UI fills in: to try them out changes nothing that an owner has set, or would miss."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from actors.broker import broker
from db.store.events import store_events
from tests.apps.dead_letters.test_dead_letters import dead, put, spoiled
from tests.apps.web.test_openapi import operations
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.servers import until

pytestmark = pytest.mark.usefixtures("worker")

#: The site of the examples.
SITE = "shop"
#: The tables of what people have set, made or asked for, and their columns that do not move by themselves.
SET = (
    ("sites", "t.site_id, t.timezone"),
    ("site_settings", "t::text"),
    ("keys", "t.id, t.hash, t.revoked_at, t.expires_at"),
    ("imports", "t.site_id, t.import_id"),
    ("erasures", "t.erasure_id"),
    ("dead_letters", "t.id, t.state, t.attempts, t.changed_at"),
    ("audit", "t.id"),
)


@contextmanager
def in_timezone(conn: Connection, reporting: httpx.Client, timezone: str) -> Iterator[None]:
    """While the site of the examples has this timezone, as if its owner had set it."""
    ((before,),) = conn.execute("select timezone from sites where site_id = %s", [SITE]).fetchall()
    set_timezone(reporting, timezone)
    try:
        yield
    finally:
        set_timezone(reporting, before)


def set_timezone(reporting: httpx.Client, timezone: str) -> None:
    ours = {"site_id": SITE, "timezone": timezone}
    # 202 first, if the site has many events of other tests to recount.
    until(lambda: reporting.put("/timezone", params=ours).json() == ours)


def execute(client: httpx.Client, name: str, operation: dict[str, Any], **more: str) -> httpx.Response:
    """What the UI sends if nothing in it is changed but `more` parameters."""
    method, path = name.split()
    parameters: dict[str, Any] = dict(more)
    for one in operation.get("parameters") or []:
        if "example" in one:
            example = one["example"]
            text = str(example).lower() if isinstance(example, bool) else example
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", text)
            else:
                parameters[one["name"]] = text
    content = operation.get("requestBody", {}).get("content", {})
    body = next(iter(content.values()))["examples"]["example"]["value"] if content else None
    return client.request(method, path, params=parameters, json=body)


@pytest.mark.parametrize("timezone", ["Asia/Kolkata", "UTC"])
def test_to_execute_every_example_leaves_all_that_people_set_as_it_is(
    conn: Connection, reporting: httpx.Client, shop: str, timezone: str
) -> None:
    store_events(conn, batch(received(SITE)))
    put([spoiled(received(SITE), path=None, user_id=shop), spoiled(received(shop), path=None)])
    dead(reporting, shop, 1)
    reporting.put(f"/sites/{SITE}", json={"name": shop, "currency": "CHF"})
    with in_timezone(conn, reporting, timezone):
        before = settings(conn)
        for name, operation in operations(reporting).items():
            if not name.startswith("GET "):
                answer = execute(reporting, name, operation)
                assert answer.status_code in (200, 201, 202), (name, answer.text)
        until(is_idle)  # what was queued is done
        assert settings(conn) == before
        assert before["site_settings"]
        assert before["keys"]


def test_every_example_that_reads_succeeds_at_the_first_click(conn: Connection, reporting: httpx.Client) -> None:
    store_events(conn, batch(received(SITE, user_id="customer-17")))
    for name, operation in operations(reporting).items():
        if name.startswith("GET ") and not name.endswith(("/stream", "/health", "/ready")):
            answer = execute(reporting, name, operation)
            assert answer.status_code == 200, (name, answer.text)


def settings(conn: Connection) -> dict[str, list[Any]]:
    """What people have set, and what waits for them."""
    return {table: conn.execute(f"select {what} from {table} t order by 1".encode()).fetchall() for table, what in SET}


def is_idle() -> bool:
    """Whether the queue has nothing more to do."""
    return not any(broker.client.hlen(f"{broker.namespace}:{name}.msgs") for name in broker.queues)


def test_a_dry_run_checks_and_tells(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    store_events(conn, batch(received(shop)))
    asked = {"site_id": shop, "timezone": "Europe/Berlin", "dry_run": "true"}
    answer = reporting.put("/timezone", params=asked)
    assert (answer.status_code, answer.json()) == (200, {"site_id": shop, "timezone": "UTC"})
    wrong = reporting.put("/timezone", params=asked | {"timezone": "Europe/Berln"})
    assert "is Europe/Berlin meant?" in wrong.json()["errors"][0]["reason"]
    put([spoiled(received(shop), path=None) for _ in range(3)])
    dead(reporting, shop, 3)
    for what in ("replay", "discard"):
        told = reporting.post(f"/dead-letters/{what}", params={"site_id": shop, "dry_run": "true"}).json()
        assert (told.pop("letters"), set(told.values())) == (3, {0})
        assert reporting.post(f"/dead-letters/{what}", params={"dry_run": "true"}).status_code == 400
    assert (
        reporting.post("/dead-letters/discard", params={"site_id": shop, "dry_run": "false"}).json()["discarded"] == 3
    )


def test_the_tables_of_reports_have_the_columns_that_are_documented(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    store_events(conn, batch(received(SITE, user_id="customer-17"), received(shop)))
    documented = {
        name: content["text/csv"]["examples"]["example"]["value"]
        for name, operation in operations(reporting).items()
        if "text/csv" in (content := operation["responses"].get("200", {}).get("content", {})) and len(content) > 1
    }
    assert len(documented) > 12
    found = {
        name: execute(reporting, name, operation, format="csv").text.split("\r\n")[0]
        for name, operation in operations(reporting).items()
        if name in documented
    }
    wrong = {
        name: (found[name], columns)
        for name, text in documented.items()
        if (columns := text.split("\r\n")[0]) != found[name]
    }
    assert wrong == {}
