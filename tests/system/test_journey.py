"""From a request to a report: everything together."""

import httpx
import pytest

from tests.builders.factories import event
from tests.servers.servers import eventually

pytestmark = pytest.mark.usefixtures("worker")


def test_an_event_is_in_the_report(ingestion: httpx.Client, reporting: httpx.Client, shop: str, other: str) -> None:
    answer = ingestion.post("/event", json=event(shop, path="/lamp", user_id="ann", timestamp="2026-01-02T03:04:05Z"))
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"

    def report() -> dict[str, object]:
        stats: dict[str, object] = reporting.get("/stats", params={"site_id": shop, "date": "2026-01-02"}).json()
        assert stats["total_views"] == 1
        return stats

    assert eventually(report) == {
        "site_id": shop,
        "date": "2026-01-02",
        "total_views": 1,
        "unique_users": 1,
        "top_paths": [{"path": "/lamp", "views": 1}],
    }
    assert reporting.get("/stats", params={"site_id": other}).json()["total_views"] == 0
