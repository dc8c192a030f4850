"""GET /audit: what is done to people, dead letters, sites and imports is noted, by whom."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.ledger.imports import Import, ImportedFile, note
from db.store.dead_letters import Failure
from db.store.events import Message, store_events
from db.store.whole_or_apart import file_message
from tests.builders.factories import NOW, batch, received
from tests.conftest import Connection

pytestmark = pytest.mark.usefixtures("worker")


def noted(reporting: httpx.Client, site: str) -> list[tuple[str, str]]:
    """Who did what to a site, the oldest first."""
    entries: list[dict[str, Any]] = reporting.get("/audit", params={"limit": 50}).json()["entries"]
    return [(one["actor"], one["action"]) for one in reversed(entries) if site in str(one["details"])]


def test_what_is_done_is_in_the_audit(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    of_import = received(shop, properties={"import_id": "3f9a2c0b7d15"})
    store_events(conn, batch(received(shop), of_import))
    file_message(conn, Message(str(uuid4()), batch(received(shop))), Failure("no"), queue="events")
    one = Import(files=[ImportedFile(name="a.csv")], began_at=NOW, ended_at=NOW, first_time=NOW, last_time=NOW)
    note(conn, shop, "3f9a2c0b7d15", one)

    assert reporting.post("/dead-letters/discard", params={"site_id": shop}).json()["discarded"] == 1
    filters = {"site_id": shop, "state": "discarded"}
    assert reporting.post("/dead-letters/replay", params=filters).json()["stored"] == 1
    for _ in range(2):  # the second time nothing changes
        assert reporting.put("/timezone", params={"site_id": shop, "timezone": "Asia/Tokyo"}).status_code == 200
    commands = [
        ["timezone", "--site", shop, "Europe/Berlin"],
        ["import", "--undo", "3f9a2c0b7d15", "--site", shop, "--yes"],
        ["delete", "--site", shop, "--yes"],
    ]
    for command in commands:
        done = CliRunner().invoke(main, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    ((admin, _), *_) = noted(reporting, shop)
    assert admin.startswith("ADMIN_KEY (")
    assert noted(reporting, shop) == [
        (admin, "dead_letters.discard"),
        (admin, "dead_letters.replay"),
        (admin, "site.timezone"),
        ("command line", "site.timezone"),
        ("command line", "import.undo"),
        ("command line", "site.delete"),
    ]


def test_a_letter_is_noted_by_its_id_and_a_search_without_its_text(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    file_message(conn, Message(str(uuid4()), batch(received(shop))), Failure("what is anna?"), queue="events")
    searched = {"site_id": shop, "error": "anna"}
    assert reporting.post("/dead-letters/discard", params=searched).json()["discarded"] == 1
    (letter,) = reporting.get("/dead-letters", params={"site_id": shop}).json()["dead_letters"]
    assert reporting.post(f"/dead-letters/{letter['id']}/replay").json()["state"] == "stored"
    replayed, discarded = reporting.get("/audit", params={"limit": 2}).json()["entries"]
    assert replayed["details"] == {"letter": letter["id"], "with_event": False}
    assert discarded["details"] == {"site_id": shop, "error": "...", "letters": 1}
