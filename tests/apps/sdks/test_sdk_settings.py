"""What SDKs ask for besides sending events, and the endpoints that only some of them know."""

import json
from urllib.parse import unquote

import httpx
import pytest

from tests.apps.sdks.test_sdk_endpoints import site_keys
from tests.apps.sdks.test_sdk_events import basic
from tests.servers.queue import queued

__all__ = ["site_keys"]


@pytest.mark.usefixtures("site_keys")
def test_settings_are_for_known_keys(ingestion: httpx.Client, shop: str) -> None:
    for path in ("/v1/projects/{}/settings", "/array/{}/config", "/array/{}/config.js", "/sourceConfig?writeKey={}"):
        assert ingestion.get(path.format(f"{shop}-key")).status_code == 200
        assert ingestion.get(path.format(shop)).status_code == 401


def test_posthog_hears_that_there_are_no_flags(ingestion: httpx.Client) -> None:
    for path in ("/flags/?v=2", "/decide/"):
        assert ingestion.post(path, json={}).json() == {
            "flags": {},
            "featureFlags": {},
            "errorsWhileComputingFlags": False,
        }


#: Without the first two posthog-js captures no clicks, and asks for flags on each page.
POSTHOG = {
    "autocapture_opt_out": False,
    "hasFeatureFlags": False,
    "supportedCompression": ["gzip", "gzip-js"],
    "sessionRecording": False,
}


def test_posthog_hears_what_its_script_may_do_as_json_and_as_a_script(ingestion: httpx.Client) -> None:
    config = ingestion.get("/array/shop/config?ip=1").json()
    assert config == config | POSTHOG
    assert "surveys" not in config  # posthog-js fetches a script for them, even where there are none
    answer = ingestion.get("/array/shop/config.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    name, _, settings = answer.text.partition(" = ")
    assert name == '(window._POSTHOG_REMOTE_CONFIG ??= {})["shop"]'
    assert json.loads(settings.rstrip(";\n")) == {"config": config, "siteApps": []}
    for key in ("%3Cscript%3E", "%22%5D;alert(1);%5B%22", "%5C"):
        name, _, _ = ingestion.get(f"/array/{key}/config.js").text.partition(" = ")
        assert json.loads(name.removeprefix("(window._POSTHOG_REMOTE_CONFIG ??= {})["[:-1] + "[")[:-1]) == unquote(key)
        assert "<" not in name


def test_the_snippet_of_posthog_is_given_a_script(ingestion: httpx.Client) -> None:
    script = ingestion.get("/static/array.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    with_settings = ingestion.get("/array/shop/array.js").text
    assert with_settings == ingestion.get("/array/shop/config.js").text + script.text


def test_segment_hears_where_to_send_events(ingestion: httpx.Client) -> None:
    answer = ingestion.get("/v1/projects/shop/settings", headers={"host": "events.example:8443"}).json()
    assert answer == {
        "integrations": {"Segment.io": {"apiKey": "shop", "apiHost": "events.example:8443/v1", "protocol": "http"}},
        "metrics": {"sampleRate": 0},
        "plan": {},
    }
    secure = ingestion.get("https://events.example/v1/projects/shop/settings").json()
    assert secure["integrations"]["Segment.io"]["protocol"] == "https"


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/"])
def test_rudderstack_hears_that_nothing_is_sent_elsewhere(ingestion: httpx.Client, path: str) -> None:
    source = ingestion.get(path, params={"p": "npm", "v": "3.34.1", "writeKey": "shop"}).json()["source"]
    assert (source["id"], source["enabled"], source["destinations"]) == ("shop", True, [])
    assert source["config"]["statsCollection"]["errors"]["enabled"] is False
    assert ingestion.get(path, headers=basic("shop"), params={"v": "3"}).json() == {"source": source}
    assert ingestion.get(path).status_code == 401


def test_rudderstacks_beacon_has_its_key_in_the_url(ingestion: httpx.Client, shop: str) -> None:
    body = json.dumps({"batch": [{"type": "page", "userId": "ann", "properties": {"path": "/lamp"}}]})
    answer = ingestion.post(f"/beacon/v1/batch?writeKey={shop}", content=body, headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [one["path"] for one in queued(shop)] == ["/lamp"]
    assert ingestion.post("/beacon/v1/batch", content=body).status_code == 401


@pytest.mark.parametrize("path", ["/api/s/s2s/batch", "/api/s/batch"])
def test_jitsus_batch_has_the_context_of_all_its_events(ingestion: httpx.Client, shop: str, path: str) -> None:
    batch = [{"type": "page", "anonymousId": "a"}, {"type": "track", "event": "x", "context": {"page": {"path": "/b"}}}]
    body = {"batch": batch, "context": {"page": {"path": "/lamp"}}}
    answer = ingestion.post(path, json=body, headers={"x-write-key": f"{shop}:secret"})
    assert answer.json() == {"ok": True, "receivedEvents": 2, "okEvents": 2}
    assert [(one["event_type"], one["path"]) for one in queued(shop)] == [("page_view", "/lamp"), ("x", "/b")]


def test_a_batch_of_umami(ingestion: httpx.Client, shop: str) -> None:
    payload = {"website": shop, "url": "/lamp"}
    body = [{"type": "event", "payload": payload}, {"type": "identify", "payload": payload}, 7, {"type": "event"}]
    answer = ingestion.post("/api/batch", json=body)
    assert answer.json() == {"size": 4, "processed": 4, "errors": 0, "details": [], "cache": "x"}
    assert [one["event_type"] for one in queued(shop)] == ["page_view", "identify"]
