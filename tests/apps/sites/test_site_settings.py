"""GET, PUT and DELETE /sites/{site_id}, and what they do to the events that arrive."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from click.testing import CliRunner

from apps.cli import main
from apps.sdks.shared.resources import SdkResources
from db.store.events import store_events
from tests.builders.factories import batch, event, received
from tests.conftest import Connection
from tests.servers.queue import running_worker
from tests.servers.servers import until

MONEY = {"revenue": 10, "currency": "EUR"}
DEFAULTS = {
    "name": "", "timezone": "UTC", "origins": None, "currency": None, "secret_orders": False, "retention_days": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def quick_worker(database_url: str, sdk_resources: SdkResources) -> Iterator[None]:
    """A worker that tells ingestion of changes at once, and an ingestion that listens."""
    with pytest.MonkeyPatch.context() as patch, running_worker(access_pause=0.1):
        patch.setattr(sdk_resources.events.snapshots, "pause", 0.1)
        yield


def put(reporting: httpx.Client, site: str, **settings: Any) -> dict[str, Any]:
    answer = reporting.put(f"/sites/{site}", json=settings)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    del found["created_at"]
    return found


def test_what_is_left_out_stays_and_what_was_never_said_has_its_default(reporting: httpx.Client, shop: str) -> None:
    unknown = {"site_id": shop, "created_at": None} | DEFAULTS
    assert reporting.get(f"/sites/{shop}").json() == reporting.delete(f"/sites/{shop}").json() == unknown
    assert put(reporting, shop) == {"site_id": shop} | DEFAULTS
    said = {"name": "Lamp shop", "origins": ["https://Shop.example", "https://shop.example"], "currency": "eur"}
    after = DEFAULTS | {"site_id": shop, "name": "Lamp shop", "currency": "EUR", "origins": ["https://shop.example"]}
    assert put(reporting, shop, **said) == after
    assert put(reporting, shop, retention_days=30) == put(reporting, shop) == after | {"retention_days": 30}
    assert put(reporting, shop, retention_days=None) == after
    assert put(reporting, shop, secret_orders=True, origins=None)["origins"] is None
    shown = reporting.get(f"/sites/{shop}").json()
    assert (shown["name"], shown["secret_orders"]) == ("Lamp shop", True)
    assert shop in [one["site_id"] for one in reporting.get("/sites", params={"search": shop}).json()["sites"]]
    assert reporting.delete(f"/sites/{shop}").json() == reporting.get(f"/sites/{shop}").json() == unknown
    noted = [one for one in reporting.get("/audit").json()["entries"] if one["details"].get("site_id") == shop]
    assert [one["action"] for one in noted] == ["site.remove", *["site.set"] * 6]
    assert noted[-2]["details"]["settings"] == said


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"name": 7}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"timezone": "Europe/Berln"}, "timezone"),
        ({"origins": "https://shop.example"}, "origins"),
        ({"origins": ["https://shop.example/"]}, "origins"),
        ({"origins": ["shop.example"]}, "origins"),
        ({"currency": "Euro"}, "currency"),
        ({"secret_orders": "yes"}, "secret_orders"),
        ({"secret_orders": None}, "secret_orders"),
        ({"retention_days": 0}, "retention_days"),
        ({"retention_days": 36_501}, "retention_days"),
        ({"retention_days": "30"}, "retention_days"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_and_changes_nothing(
    reporting: httpx.Client, shop: str, body: dict[str, Any], field: str
) -> None:
    answer = reporting.put(f"/sites/{shop}", json={"name": "x"} | body)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (400, field)
    assert error["allowed"]
    assert reporting.get(f"/sites/{shop}").json()["created_at"] is None


@pytest.mark.parametrize(
    "set_by_hand",
    [
        *("retention_days = 0", "retention_days = -1", "retention_days = 2000000000"),
        *("currency = 'eur'", "currency = 'EUR '", "currency = '€'", "origins = '{NULL,https://shop.example}'"),
    ],
)
def test_a_wrong_setting_is_refused_where_it_is_kept(
    reporting: httpx.Client, conn: Connection, shop: str, set_by_hand: str
) -> None:
    put(reporting, shop, retention_days=30, currency="EUR", origins=["https://shop.example"])
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(f"update site_settings set {set_by_hand} where site_id = %s".encode(), [shop])


def test_any_site_can_be_named_in_the_address(reporting: httpx.Client, shop: str) -> None:
    name = f"{shop} a/b//ü%20"
    quoted = "/sites/" + "".join(f"%{byte:02X}" for byte in name.encode())
    assert reporting.put(quoted, json={}).json()["site_id"] == name
    assert reporting.get(quoted).json()["site_id"] == name
    for bad in ("%00", "%FF", "a" * 256):
        assert reporting.put(f"/sites/{bad}", json={}).status_code == 400


def test_a_key_sees_and_sets_its_own_sites_only(reporting: httpx.Client, shop: str, other: str) -> None:
    put(reporting, shop)
    for scope, reads, sets in (("reports:read", 200, 403), ("admin", 200, 200), ("events:write", 403, 403)):
        made = reporting.post("/keys", json={"name": "k", "scopes": [scope], "sites": [shop]}).json()["secret"]
        headers = {"Authorization": f"Bearer {made}"}
        assert reporting.get(f"/sites/{shop}", headers=headers).status_code == reads
        assert reporting.put(f"/sites/{shop}", headers=headers, json={}).status_code == sets
        # Whether it exists or not.
        for site in (other, f"{other}-2"):
            assert reporting.get(f"/sites/{site}", headers=headers).status_code == 403
            assert reporting.put(f"/sites/{site}", headers=headers, json={}).status_code == 403
            assert reporting.delete(f"/sites/{site}", headers=headers).status_code == 403


@pytest.mark.usefixtures("quick_worker")
def test_nobody_without_the_secret_key_can_invent_revenue(
    reporting: httpx.Client, ingestion: httpx.Client, conn: Connection, shop: str
) -> None:
    put(reporting, shop, secret_orders=True, currency="EUR")
    made = reporting.post("/keys", json={"name": "till", "scopes": ["events:write"], "sites": [shop]}).json()
    key = {"Authorization": f"Bearer {made['secret']}"}
    true = event(shop, event_type="purchase", properties={"revenue": 10, "order_id": "1"})
    forged = event(shop, event_type="purchase", properties={"revenue": 5000, "order_id": "1", "public_key": False})
    refund = event(shop, event_type="refund", properties={"revenue": 10, "currency": "EUR"})
    until(lambda: ingestion.post("/event", json=event(shop), headers=key).status_code == 202)
    assert ingestion.post("/event", json=forged).status_code == 202  # first, and with the id of the true one
    assert ingestion.post("/event", json=refund).status_code == 202
    assert ingestion.post("/event", json=true, headers=key).status_code == 202

    def stored() -> int:
        row = conn.execute("select count(*) from events where site_id = %s and event_type <> 'page_view'", [shop])
        return int((row.fetchone() or (0,))[0])

    until(lambda: stored() == 3)
    for parameters in ({}, {"filter": "path:is:*"}):  # from rollups, and from events
        report = reporting.get("/revenue", params={"site_id": shop, "period": "all"} | parameters).json()
        assert report["source"] == ("events" if parameters else "rollups")
        (sold,) = report["currencies"]
        assert (sold["currency"], sold["orders"], sold["revenue"], sold["refunds"]) == ("EUR", 1, "10", 0)
        assert (report["repeated"], report["ignored"]) == (
            0,
            [{"what": what, "reason": "public_key", "count": 1} for what in ("order", "refund")],
        )
    done = CliRunner().invoke(main, ["verify", "--site", shop])
    assert done.exit_code == 0, done.output


@pytest.mark.usefixtures("quick_worker")
def test_an_event_that_its_site_would_not_keep_is_refused_by_name(
    reporting: httpx.Client, ingestion: httpx.Client, shop: str, other: str
) -> None:
    put(reporting, shop, retention_days=30)
    old, young = (event(shop, timestamp=(datetime.now(UTC) - timedelta(days=days)).isoformat()) for days in (31, 29.9))
    until(lambda: ingestion.post("/event", json=old).status_code == 400)
    (error,) = ingestion.post("/event", json=old).json()["errors"]
    assert error["field"] == "timestamp"
    assert "the site keeps none for so long" in error["reason"]
    elsewhere = old | {"site_id": other}
    assert [ingestion.post("/event", json=one).status_code for one in (young, elsewhere)] == [202, 202]
    answer = ingestion.post("/events", json=[old, young, elsewhere]).json()
    assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (2, [0])
    put(reporting, shop, retention_days=None)
    until(lambda: ingestion.post("/event", json=old).status_code == 202)


@pytest.mark.usefixtures("quick_worker")
def test_a_timezone_is_set_with_the_rebuild_that_it_needs(reporting: httpx.Client, conn: Connection, shop: str) -> None:
    store_events(conn, batch(received(shop, timestamp="2026-03-10T23:30:00Z")))
    assert put(reporting, shop, timezone="Europe/Berlin")["timezone"] == "Europe/Berlin"
    days = conn.execute("select day::text from path_days where site_id = %s", [shop]).fetchall()
    assert days == [("2026-03-11",)]
