"""Who is behind an event of an SDK: visitors, bots, and addresses behind a proxy."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from actors.broker import broker
from apps.sdks.shared.resources import SdkResources
from tests.apps.monitoring.test_metrics import Change, change
from tests.apps.sdks.test_sdk_endpoints import FIREFOX, body_for, paths, post
from tests.servers.queue import queued
from tests.servers.serving import Served, serve

__all__ = ["change"]

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

HEADLESS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36"
)

SERVER = "python-requests/2.32.3"


@pytest.fixture
def bots(sdk_resources: SdkResources, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The setting BOTS."""
    setting: str = request.param
    monkeypatch.setattr(sdk_resources, "bots", setting)
    return setting


@pytest.mark.some(10)
@pytest.mark.parametrize("path", ["/v1/track", "/batch", "/api/event", "/api/send", "/tracker"])
@pytest.mark.parametrize("user_agent", [GOOGLEBOT, HEADLESS])
@pytest.mark.parametrize("bots", ["drop", "mark", "keep"], indirect=True)
def test_bots_are_dropped_marked_or_kept_and_counted(
    ingestion: httpx.Client, shop: str, change: Change, path: str, user_agent: str, bots: str
) -> None:
    assert post(ingestion, path, shop, user_agent).status_code in (200, 202)
    outcome = {"drop": "dropped", "mark": "marked", "keep": "kept"}[bots]
    assert [one.get("properties", {}).get("bot") for one in queued(shop)] == {"drop": [], "mark": [True]}.get(
        bots, [None]
    )
    counted = {name: value for name, value in change().items() if "bot_events_total" in name}
    assert list(counted.values()) == [1]
    assert f"{{outcome={outcome}}}" in next(iter(counted))


@paths
def test_browsers_and_servers_are_no_bots(ingestion: httpx.Client, shop: str, path: str) -> None:
    programs = [FIREFOX, SERVER, "Mozilla/5.0 Umami/v22.1.0", "axios/1.7", "okhttp/4", ""]
    for user_agent in programs:
        post(ingestion, path, shop, user_agent)
    assert len(queued(shop)) == len(programs)


def test_the_visitor_that_an_event_names_goes_before_who_sent_it(ingestion: httpx.Client, shop: str) -> None:
    batch = [
        {"type": "track", "event": name, "context": {"userAgent": user_agent}}
        for name, user_agent in (("bot", GOOGLEBOT), ("script", SERVER), ("person", FIREFOX))
    ]
    ingestion.post("/v1/batch", json={"writeKey": shop, "batch": batch}, headers={"user-agent": SERVER})
    assert [one["event_type"] for one in queued(shop)] == ["person"]


def test_visitors_are_told_apart_by_address_browser_and_site(ingestion: httpx.Client, shop: str, other: str) -> None:
    for site, user_agent in ((shop, FIREFOX), (shop, FIREFOX), (shop, f"{FIREFOX} again"), (other, FIREFOX)):
        post(ingestion, "/api/event", site, user_agent)
        post(ingestion, "/api/send", site, user_agent)
    visitors = [one["visitor_id"] for one in queued(shop)]
    assert (len(visitors), len(set(visitors))) == (6, 2)
    assert not {one["visitor_id"] for one in queued(other)} & set(visitors)
    assert "testclient" not in str(queued(shop))


def test_the_salt_of_visitors_is_gone_at_the_end_of_the_day(ingestion: httpx.Client, shop: str) -> None:
    post(ingestion, "/api/event", shop)
    now = datetime.now(UTC)
    keys: Any = broker.client.keys(f"{broker.namespace}:salt:*")
    assert keys == [f"{broker.namespace}:salt:{now.date()}".encode()]
    left: Any = broker.client.ttl(keys[0])
    assert 0 < left <= 24 * 60 * 60 - (now.hour * 60 + now.minute) * 60


def test_the_address_behind_a_trusted_proxy_is_the_visitors(
    ingestion_server: Served, shop: str, other: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def send(served: Served, site: str) -> None:
        for address in ("203.0.113.1", "203.0.113.2", "203.0.113.1"):
            headers = {"x-forwarded-for": address, "user-agent": FIREFOX}
            httpx.post(f"{served.url}/api/event", content=body_for("/api/event", site), headers=headers)
        assert "203.0.113" not in served.log()

    send(ingestion_server, shop)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.1")
    with serve("ingestion", tmp_path) as careful:
        send(careful, other)
    for site, visitors in ((shop, 2), (other, 1)):
        found = [one["visitor_id"] for one in queued(site)]
        assert (len(found), len(set(found))) == (3, visitors)
