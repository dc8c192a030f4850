"""Messages of SDKs whose type nobody knows."""

import json
from typing import Any

import httpx
import pytest

from tests.apps.monitoring.test_metrics import Change, change
from tests.apps.sdks.test_sdk_endpoints import dropped
from tests.servers.queue import queued

__all__ = ["change"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/send", {"type": "performance", "payload": {"website": "SITE", "url": "/lamp", "lcp": 1200}}),
        ("/api/send", {"type": "replay", "payload": {"website": "SITE", "url": "/lamp", "name": "x"}}),
        ("/api/send", {"type": ["event"], "payload": {"website": "SITE", "url": "/lamp"}}),
        ("/api/send", {"payload": {"website": "SITE", "url": "/lamp"}}),
        ("/v1/batch", {"writeKey": "SITE", "batch": [{"type": "merge", "event": "x", "userId": "ann"}]}),
        ("/v1/batch", {"writeKey": "SITE", "batch": [{"type": {"a": 1}, "event": "x", "userId": "ann"}]}),
        ("/v1/page", {"writeKey": "SITE", "type": "performance", "userId": "ann"}),
        ("/api/s/track", {"writeKey": "SITE", "type": "heartbeat", "event": "x"}),
    ],
    ids=str,
)
def test_a_message_of_a_type_that_nobody_knows_is_counted_and_no_event(
    ingestion: httpx.Client, shop: str, change: Change, path: str, body: Any
) -> None:
    assert ingestion.post(path, content=json.dumps(body).replace("SITE", shop)).status_code == 200
    assert queued(shop) == []
    assert change()[dropped("umami" if path == "/api/send" else "segment", "type")] == 1
