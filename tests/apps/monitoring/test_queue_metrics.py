"""The queue and the ledger as Prometheus sees them."""

from typing import cast

import httpx

from apps.reporting import ReportingApp
from db.store.events import store_events
from tests.apps.monitoring.test_metrics import values
from tests.builders.factories import batch, event, received
from tests.conftest import Connection
from tests.servers.key import AUTHORIZED
from tests.servers.watched_queue import App, WatchedQueue


def test_both_apps_tell_of_the_queue(
    queue: WatchedQueue, ingestion: httpx.Client, reporting: httpx.Client, shop: str
) -> None:
    queue.beat()
    ingestion.post("/event", json=event(shop)).raise_for_status()
    queue.look()
    for client in (ingestion, reporting):
        found = values(client.get("/metrics", headers=AUTHORIZED).text)
        assert found["tjra_queue_messages{place=waiting}"] == 1
        assert found["tjra_queue_messages{place=held}"] == 0
        assert found["tjra_queue_oldest_age_seconds"] >= 0
        assert found["tjra_workers"] == 1
        assert found["tjra_redis_memory_used_bytes"] > 0
        assert found["tjra_queue_full"] == 0
    queue.set(queue_max_messages=1)
    queue.look()
    assert values(ingestion.get("/metrics", headers=AUTHORIZED).text)["tjra_queue_full"] == 1


def test_what_is_unaccounted_for_is_told(
    reporting: httpx.Client, reporting_app: ReportingApp, conn: Connection, shop: str
) -> None:
    def excess() -> float:
        with cast("App", reporting).portal() as portal:
            portal.call(reporting_app.ledger.look)
        return values(reporting.get("/metrics").text)["tjra_ledger_unaccounted_events{kind=excess}"]

    before = excess()
    store_events(conn, batch(received(shop), received(shop)))  # which nobody has accepted
    assert excess() == before + 2
