"""GET /people/{user_id}/export, DELETE /people/{user_id} and GET /erasures/{erasure_id}."""

import asyncio
import json
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import psycopg
import pytest
from click.testing import CliRunner

from actors.people import finish_erasures
from apps.cli import main
from apps.people import sample
from db.access.keys import NewKey, create_key
from db.access.scopes import Scope
from db.store.events import store_events
from tests.apps.people.asking import exported
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.db.people.erasing import asked, receipt_of, texts

pytestmark = pytest.mark.usefixtures("worker")


def key_for(database_url: str, *scopes: Scope, sites: list[str] | None = None) -> dict[str, str]:
    """The header of a new key."""

    async def make() -> str:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
            _, secret = await create_key(conn, NewKey(name="a test", scopes=list(scopes), sites=sites), by="a test")
            return secret

    return {"authorization": f"Bearer {asyncio.run(make())}"}


@pytest.mark.parametrize(
    "person", ["a/b/export", "//a//b/", 'it\'s "q" ✓ %2F?#', "ü" * 127 + "x", "export", "receipts/x"]
)
def test_any_id_can_be_exported_and_erased(conn: Connection, reporting: httpx.Client, shop: str, person: str) -> None:
    store_events(conn, batch(received(shop, user_id=person), received(shop, user_id="export ")))
    head, *lines = exported(reporting, shop, person)
    assert (head["user_id"], head["counts"]["event"]) == (person, 1)
    assert {line["kind"] for line in lines} >= {"user", "event"}  # a worker may have written rollups
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
