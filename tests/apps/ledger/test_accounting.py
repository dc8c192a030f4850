"""GET /accounting: what was accepted is stored, a duplicate, dead or on its way. No worker runs until the last test."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.builders.factories import batch, event, received
from tests.conftest import Connection
from tests.servers.servers import until


def accounts(reporting: httpx.Client, shop: str, **parameters: str) -> list[dict[str, Any]]:
    answer = reporting.get("/accounting", params={"site_id": shop, **parameters})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["accounts"]
    return found


def account(reporting: httpx.Client, shop: str) -> dict[str, int]:
    """Today's account of a site, without what is 0."""
    (found,) = accounts(reporting, shop)
    assert found.pop("site_id") == shop
    assert found.pop("day") == datetime.now(UTC).date().isoformat()
    return {name: events for name, events in found.items() if events}


def test_what_was_accepted_is_in_flight(
    ingestion: httpx.Client, reporting: httpx.Client, shop: str, other: str
) -> None:
    ingestion.post("/event", json=event(shop)).raise_for_status()
    ingestion.post("/events", json=[event(shop), event(other), {"path": 7}, event(shop)]).raise_for_status()
    assert account(reporting, shop) == {"accepted": 3, "in_flight": 3}
    assert account(reporting, other) == {"accepted": 1, "in_flight": 1}


def test_a_site_never_seen_has_no_account(reporting: httpx.Client, shop: str) -> None:
    assert accounts(reporting, shop) == []
    assert reporting.get("/accounting", params={"site_id": shop}).json()["balanced"] is True


def test_the_days_are_those_asked_for(ingestion: httpx.Client, reporting: httpx.Client, shop: str) -> None:
    ingestion.post("/event", json=event(shop)).raise_for_status()
    today = datetime.now(UTC).date()
    answer = reporting.get("/accounting", params={"site_id": shop}).json()
    assert (answer["from"], answer["to"]) == (str(today - timedelta(days=6)), str(today + timedelta(days=1)))
    assert len(accounts(reporting, shop, **{"from": str(today)})) == 1
    assert accounts(reporting, shop, to=str(today)) == []


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"from": "today"}, "from"),
        ({"from": "2026-01-02", "to": "2026-01-02"}, "to"),
        ({"to": "0001-01-01"}, "to"),
        ({"day": "2026-01-02"}, "day"),
    ],
)
def test_a_bad_parameter_is_named(reporting: httpx.Client, parameters: dict[str, str], field: str) -> None:
    answer = reporting.get("/accounting", params=parameters)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_once_a_worker_runs_everything_is_settled(
    request: pytest.FixtureRequest, ingestion: httpx.Client, reporting: httpx.Client, conn: Connection, shop: str
) -> None:
    first = event(shop, event_id="019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f")
    for one in (first, event(shop), first):
        ingestion.post("/event", json=one).raise_for_status()
    assert account(reporting, shop) == {"accepted": 3, "in_flight": 3}
    request.getfixturevalue("worker")
    until(lambda: account(reporting, shop) == {"accepted": 3, "stored": 2, "duplicates": 1})
    store_events(conn, batch(received(shop)))
    assert account(reporting, shop) == {"accepted": 3, "stored": 3, "duplicates": 1, "unaccounted": -1}
    assert reporting.get("/accounting", params={"site_id": shop}).json()["balanced"] is False
