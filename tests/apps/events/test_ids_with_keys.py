"""An event that came with a secret key is never a duplicate of one that came without, and one that is sent again is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from db.access.snapshot import SiteRules
from db.store.events import store_events
from tests.apps.events.conftest import Tell, basic, bearer
from tests.builders.factories import event
from tests.conftest import Connection
from tests.servers import queue

MONEY = {"revenue": 10, "currency": "EUR", "order_id": "1001"}
#: As clients make them; `messageId`s that are no UUIDs become one.
IDS = (
    str(uuid4()),
    "019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f",
    "d41d8cd9-8f00-3204-0980-0998ecf8427e",  # variants that only other programs' hashes have
    "d41d8cd9-8f00-3204-5980-0998ecf8427e",
    "d41d8cd9-8f00-3204-f980-0998ecf8427e",
)


def bodies(site: str, event_id: str) -> dict[str, Any]:
    """An order with an id, in each protocol that has ids."""
    order = event(site, event_type="purchase", event_id=event_id, properties=MONEY)
    call = {"type": "track", "event": "purchase", "messageId": event_id, "properties": MONEY, "writeKey": site}
    capture = {"event": "purchase", "uuid": event_id, "distinct_id": "ann", "properties": MONEY, "api_key": site}
    return {
        "/event": order,
        "/event/": order,
        "/events": [order],
        "/v1/track": call,
        "/v1/batch": {"batch": [call], "writeKey": site},
        "/batch": {"batch": [capture], "api_key": site},
        "/tracker": {"site_id": site, "events": [{**order, "site_id": site}]},
    }


PATHS = tuple(bodies("", ""))


def stored(conn: Connection, site: str) -> list[dict[str, Any]]:
    """What a worker makes of the queue, in the order in which it arrived: the events that are stored then."""
    for one in sorted(queue.queued(site), key=lambda one: str(one["received_at"])):
        store_events(conn, msgspec.json.encode([one]))
    found = conn.execute(
        "select event_id, event_time, properties from events where site_id = %s order by received_at", (site,)
    )
    return [{"event_id": str(row[0]), "event_time": row[1], "properties": row[2]} for row in found]


@pytest.mark.parametrize("path", PATHS)
def test_who_sends_an_id_first_without_a_key_takes_it_from_nobody_with_one(
    ingestion: httpx.Client, reporting: httpx.Client, conn: Connection, tell: Tell, shop: str, path: str
) -> None:
    (key,) = tell({}, sites=[SiteRules(site_id=shop, secret_orders=True)])
    for event_id in IDS:
        body = bodies(shop, event_id)
        # The stranger guesses the id, or knows under which one the order will be stored.
        for guess in (event_id, *(f"{event_id[:19]}{digit}{event_id[20:]}" for digit in "0123")):
            for other in ("/event", path):
                assert ingestion.post(other, json=bodies(shop, guess)[other]).status_code in (200, 202)
        for _ in range(2):  # sent again
            assert ingestion.post(path, json=body[path], headers=bearer(key)).status_code in (200, 202)
    true = [one for one in stored(conn, shop) if "public_key" not in one["properties"]]
    assert len({one["event_id"] for one in true}) == len(IDS) == len(true)
    revenue = reporting.get("/revenue", params={"site_id": shop, "from": "2026-01-01", "to": "2100-01-01"}).json()
    assert [(one["orders"], one["revenue"]) for one in revenue["currencies"]] == [(1, "10")]


@pytest.mark.parametrize("path", PATHS)
def test_sent_again_it_counts_once_with_the_next_key_too_and_whatever_the_site_says_then(
    ingestion: httpx.Client, conn: Connection, tell: Tell, shop: str, path: str
) -> None:
    secret_orders = SiteRules(site_id=shop, secret_orders=True)
    for event_id in IDS:
        body = bodies(shop, event_id)[path]
        for sites in ([], [secret_orders], [secret_orders], []):
            (key,) = tell({}, sites=sites)
            assert ingestion.post(path, json=body, headers=bearer(key)).status_code in (200, 202)
    assert len(stored(conn, shop)) == len(IDS)


def test_an_id_from_our_response_is_sent_again_with_a_key_and_taken_by_nobody_without(
    ingestion: httpx.Client, conn: Connection, tell: Tell, shop: str
) -> None:
    (key,) = tell({"sites": [shop]})
    order = event(shop, event_type="purchase", properties=MONEY)
    ids = [ingestion.post("/event", json=order, headers=bearer(key)).json()["event_id"]]
    ids += ingestion.post("/events?ids=true", json=[order] * 2, headers=bearer(key)).json()["event_ids"]
    for event_id in ids:
        ingestion.post("/event", json=order | {"event_id": event_id})
        ingestion.post("/event", json=order | {"event_id": event_id}, headers=bearer(key))
    found = stored(conn, shop)
    assert len(found) == 2 * len(ids)
    assert len({one["event_id"] for one in found}) == 2 * len(ids)


def test_nobody_without_a_key_dates_an_order_that_has_no_time(
    ingestion: httpx.Client, conn: Connection, tell: Tell, shop: str
) -> None:
    (key,) = tell({})
    call = {"type": "track", "event": "purchase", "messageId": "order-1001", "properties": MONEY, "writeKey": shop}
    for headers in ({}, bearer(key), bearer(key)):
        assert ingestion.post("/v1/track", json=call, headers=headers).status_code == 200
        sent = datetime.now(UTC)
        while datetime.now(UTC) < sent + timedelta(milliseconds=2):  # times have milliseconds
            pass
    theirs, ours = stored(conn, shop)
    assert theirs["event_time"] < ours["event_time"]


def test_what_is_exported_and_sent_again_with_a_key_is_there_already(
    ingestion: httpx.Client, conn: Connection, tell: Tell, shop: str
) -> None:
    (key,) = tell({})
    ingestion.post("/event", json=event(shop, event_id=str(uuid4())), headers=bearer(key))
    (one,) = stored(conn, shop)
    assert UUID(one["event_id"]).variant != "specified in RFC 4122"
    ingestion.post("/event", json=event(shop, event_id=one["event_id"]), headers=bearer(key))
    assert len(stored(conn, shop)) == 1


def test_the_user_of_basic_authorization_may_be_the_key(
    ingestion: httpx.Client, conn: Connection, tell: Tell, shop: str
) -> None:
    (key,) = tell({"sites": [shop]})
    body = bodies(shop, IDS[0])["/v1/track"] | {"writeKey": None}
    ingestion.post("/event", json=bodies(shop, IDS[0])["/event"])
    for _ in range(2):
        assert (
            ingestion.post("/v1/track", json=body, headers={"Authorization": f"Basic {basic(key)}"}).status_code == 200
        )
    assert len(stored(conn, shop)) == 2
