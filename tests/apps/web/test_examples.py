"""The examples that the UI fills in: to try them out changes nothing that an owner has set, or would miss."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.apps.dead_letters.test_dead_letters import dead, put, spoiled
from tests.apps.web.test_openapi import operations
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.servers import until

pytestmark = pytest.mark.usefixtures("worker")

#: The site of the examples.
SITE = "shop"


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


def execute(client: httpx.Client, name: str, operation: dict[str, Any]) -> httpx.Response:
    """What the UI sends if nothing in it is changed."""
    method, path = name.split()
    parameters: dict[str, str] = {}
    for one in operation.get("parameters") or []:
        if "example" in one:
            text = str(one["example"]).lower() if isinstance(one["example"], bool) else str(one["example"])
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", text)
            else:
                parameters[one["name"]] = text
    content = operation.get("requestBody", {}).get("content", {})
    body = next(iter(content.values()))["examples"]["example"]["value"] if content else None
    return client.request(method, path, params=parameters, json=body)


@pytest.mark.parametrize("timezone", ["Asia/Kolkata", "UTC"])
def test_to_execute_every_example_leaves_settings_and_dead_letters_as_they_are(
    conn: Connection, reporting: httpx.Client, shop: str, timezone: str
) -> None:
    store_events(conn, batch(received(SITE)))
    put([spoiled(received(SITE), path=None, user_id=shop), spoiled(received(shop), path=None)])
    dead(reporting, shop, 1)
    with in_timezone(conn, reporting, timezone):
        before = settings(conn)
        for name, operation in operations(reporting).items():
            if not name.startswith("GET "):
                answer = execute(reporting, name, operation)
                assert answer.status_code in (200, 201, 202), (name, answer.text)
        assert settings(conn) == before
        assert (SITE, timezone) in before[0]


def settings(conn: Connection) -> tuple[list[Any], list[Any]]:
    """What owners have set, and what waits for them."""
    sites = conn.execute("select site_id, timezone from sites order by site_id").fetchall()
    return sites, conn.execute("select id, state, attempts, changed_at from dead_letters order by id").fetchall()


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
