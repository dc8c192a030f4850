"""GET /metrics of both apps: every request and event is counted once, also where several processes share a port."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from apps.monitoring.metrics import SHARED_FOLDER
from tests.apps.monitoring.test_health import without_redis
from tests.builders.factories import event
from tests.servers.key import AUTHORIZED
from tests.servers.servers import Servers, eventually, until

__all__ = ["without_redis"]

Values = dict[str, float]
Change = Callable[[], Values]


def values(text: str) -> Values:
    """Each sample of an answer: `name{label="value"}` -> its value."""
    return {
        sample.name + "".join(f"{{{name}={value}}}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(client: httpx.Client) -> Values:
    answer = client.get("/metrics", headers=AUTHORIZED)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return values(answer.text)


@pytest.fixture
def change(ingestion: httpx.Client) -> Change:
    """What has changed in ingestion's metrics since the test began."""
    before = scraped(ingestion)

    def since() -> Values:
        now = scraped(ingestion)
        return {name: value - before.get(name, 0) for name, value in now.items() if value != before.get(name, 0)}

    return since


def requests(method: str, route: str, status: int) -> str:
    return f"tjra_http_request_duration_seconds_count{{method={method}}}{{route={route}}}{{status={status}}}"


def refused(reason: str) -> str:
    return f"tjra_events_refused_total{{reason={reason}}}"


@pytest.mark.parametrize("path", ["/event", "/event/"])
def test_an_event_is_counted_whichever_way_it_came(
    ingestion: httpx.Client, change: Change, shop: str, path: str
) -> None:
    ingestion.post(path, json=event(shop))
    changed = change()
    assert changed[requests("POST", "/event", 202)] == 1
    assert changed["tjra_events_accepted_total"] == 1
    assert changed["tjra_enqueue_duration_seconds_count"] == 1
    assert changed["tjra_message_events_sum"] == 1
    assert changed["tjra_message_bytes_sum"] > 100


def test_every_event_of_a_batch_is_counted(ingestion: httpx.Client, change: Change, shop: str) -> None:
    ingestion.post("/events", json=[event(shop), event(shop), {"site_id": shop}, event(shop), 7])
    changed = change()
    assert changed[requests("POST", "/events", 202)] == 1
    assert changed["tjra_events_accepted_total"] == changed["tjra_message_events_sum"] == 3
    assert changed[refused("invalid")] == 2


@pytest.mark.parametrize(
    ("path", "request_", "status", "reason", "events"),
    [
        ("/event", {"json": {}}, 400, "invalid", 1),
        ("/event", {"content": b" " * 70_000}, 413, "too_large", 1),
        ("/event", {"content": b"{}", "headers": {"content-encoding": "br"}}, 415, "compression", 1),
        ("/events", {"json": [{}, {}, {}]}, 400, "invalid", 3),
        ("/events", {"content": b"["}, 400, "invalid", 1),
        ("/events", {"json": [{}] * 1001}, 413, "too_large", 1),
    ],
)
def test_refused_events_are_counted_by_reason(
    ingestion: httpx.Client, change: Change, path: str, request_: dict[str, Any], status: int, reason: str, events: int
) -> None:
    assert ingestion.post(path, **request_).status_code == status
    changed = change()
    assert changed[requests("POST", path, status)] == 1
    assert changed[refused(reason)] == events
    assert "tjra_events_accepted_total" not in changed


@pytest.mark.usefixtures("without_redis")
def test_events_that_the_queue_did_not_take_are_counted(ingestion: httpx.Client, change: Change, shop: str) -> None:
    assert ingestion.post("/events", json=[event(shop)] * 5).status_code == 503
    changed = change()
    assert changed[refused("queue_unavailable")] == 5
    assert changed["tjra_enqueue_failures_total"] == 1
    assert "tjra_events_accepted_total" not in changed
    assert "tjra_message_events_count" not in changed


def test_clients_cannot_make_series(ingestion: httpx.Client, change: Change) -> None:
    for path in ("/nothing", "/nothing/here", "/event/x"):
        ingestion.get(path)
    ingestion.request("BREW", "/event")
    routes = {name for name in change() if name.startswith("tjra_http_request_duration_seconds_count")}
    assert routes == {requests("GET", "other", 404), requests("other", "other", 405), requests("GET", "/metrics", 200)}


def test_no_series_tells_of_a_site(ingestion: httpx.Client, reporting: httpx.Client, shop: str) -> None:
    ingestion.post("/event", json=event(shop))
    reporting.get("/stats", params={"site_id": shop})
    for client in (ingestion, reporting):
        assert shop not in client.get("/metrics", headers=AUTHORIZED).text


def test_reporting_tells_of_its_requests_and_its_pool(reporting: httpx.Client) -> None:
    before = scraped(reporting)
    reporting.get("/stats?site_id=shop")
    reporting.get("/stats")
    after = scraped(reporting)
    for status in (200, 400):
        name = requests("GET", "/stats", status)
        assert after[name] - before.get(name, 0) == 1
    assert after["tjra_pool_requests_total"] - before["tjra_pool_requests_total"] == 1
    assert after["tjra_pool_connections"] >= after["tjra_pool_connections_available"] >= 0
    assert after["tjra_pool_connections_max"] == 8
    assert after["process_resident_memory_bytes"] > 0


def test_it_speaks_openmetrics_where_that_is_asked_for(ingestion: httpx.Client) -> None:
    answer = ingestion.get("/metrics", headers=AUTHORIZED | {"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.fixture
def two_processes(servers: Servers, tmp_path: Path, unused_port: int) -> Iterator[httpx.Client]:
    """Ingestion as two processes behind one port."""
    command = [sys.executable, "-m", "uvicorn", "apps.ingestion:app", "--port", str(unused_port), "--workers", "2"]
    process = subprocess.Popen([*command, "--log-level", "warning"], env=os.environ | {SHARED_FOLDER: str(tmp_path)})
    # A connection a request: the kernel gives each to one process or the other.
    client = httpx.Client(base_url=f"http://127.0.0.1:{unused_port}", headers={"connection": "close"}, timeout=30)
    try:
        eventually(lambda: client.get("/health"))
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(30)


def test_processes_that_share_a_port_add_up(two_processes: httpx.Client, tmp_path: Path, shop: str) -> None:
    until(lambda: len(list(tmp_path.glob("counter_*.db"))) == 2)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: two_processes.post("/event", json=event(shop)), range(400)))
    assert {answer.status_code for answer in answers} == {202}
    two_processes.post("/event", json={})
    for _ in range(5):  # whichever is asked
        found = scraped(two_processes)
        assert found[requests("POST", "/event", 202)] == 400
        assert found["tjra_events_accepted_total"] == found["tjra_message_events_sum"] == 400
        assert found[refused("invalid")] == 1
        assert not any(name.startswith("tjra_flush") for name in found)
