"""People of whom only the queue tells: exported and erased like others."""

import httpx
import pytest

from actors.people import finish_erasures
from db.people.receipts import Erasure
from db.store.events import store_events
from tests.apps.people.asking import exported
from tests.builders.factories import batch, event, received
from tests.conftest import Connection
from tests.db.people.erasing import receipt_of, texts, users
from tests.servers.queue import queued, running_worker
from tests.servers.servers import until

LINK = {"user_id": "customer-17", "visitor_id": "browser-17", "path": "/a"}
VIEW = {"visitor_id": "browser-17", "path": "/b"}


@pytest.fixture
def waiting(ingestion: httpx.Client, shop: str) -> None:
    """Events that wait: one tells whose browser it is, another is the browser's."""
    for one in (LINK, VIEW, {"visitor_id": "browser-18"}):
        assert ingestion.post("/event", json=event(shop, **one)).status_code == 202


def erase(reporting: httpx.Client, site: str) -> httpx.Response:
    return reporting.delete("/people/customer-17", params={"site_id": site})


@pytest.mark.usefixtures("waiting")
def test_an_export_has_what_their_browser_sent(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    """Also of a site that nothing is stored of yet."""
    head, *lines = exported(reporting, shop, "customer-17")
    assert head["counts"]["queued_event"] == 2
    assert sorted(line["event"]["path"] for line in lines) == ["/a", "/b"]
    store_events(conn, batch(received(shop, visitor_id="browser-17", user_id="other")))
    head, *lines = exported(reporting, shop, "customer-17")
    assert [line["event"]["path"] for line in lines] == ["/a"]


@pytest.mark.usefixtures("waiting")
def test_they_are_erased_though_nothing_is_stored_of_their_site(
    reporting: httpx.Client, conn: Connection, database_url: str, shop: str, other: str
) -> None:
    assert erase(reporting, other).status_code == 404
    assert len(queued(shop)) == 3
    answer = erase(reporting, shop)
    assert answer.status_code == 202
    erasure = answer.json()["erasure_id"]
    with running_worker():
        until(lambda: not queued(shop))
        shown = f"/erasures/{erasure}"
        until(lambda: reporting.get(shown, params={"site_id": shop}).json()["begun_at"])
        until(lambda: len(users(conn, shop)) == 2)
    conn.execute("update erasures set asked_at = now() - interval '5 minutes' where site_id = %s", [shop])
    finish_erasures(conn)
    receipt: Erasure = receipt_of(database_url, Erasure(**{**answer.json(), "site_id": shop}))
    assert receipt.done_at
    assert receipt.erased["queue"] >= 1
    assert [name for name in users(conn, shop) if not name.startswith("erased-")] == ["browser-18"]
    for name in ("customer-17", "browser-17"):
        assert name not in texts(conn, shop)
