"""Secret write keys where SDKs have their write keys."""

from typing import Any

import httpx
import pytest

from db.access.snapshot import SiteRules
from db.access.tokens import new_key
from tests.apps.events.conftest import MONEY, Tell, basic, bearer, queued

TRACK = {"type": "track", "event": "purchase", "properties": MONEY}
CAPTURE = {"event": "purchase", "distinct_id": "ann", "properties": MONEY}
PAYLOAD = {"website": "KEY", "name": "purchase", "url": "/", "data": MONEY}
PAGE = {"event_type": "purchase", "path": "/", "properties": MONEY}


@pytest.mark.parametrize("form", ["Bearer {}", "bearer  {}", "Basic {basic}"])
def test_a_mistyped_key_at_an_sdks_endpoint_is_refused_and_what_its_sdk_sends_by_itself_is_not(
    ingestion: httpx.Client, tell: Tell, shop: str, form: str
) -> None:
    (good,) = tell({})
    call = TRACK | {"writeKey": shop}
    for wrong in (
        good[:-1],
        good[:-1] + "!",
        good.upper(),
        f'"{good}"',
        good.replace("_k_", "_k", 1),
    ):
        headers = {"authorization": form.format(wrong, basic=basic(wrong))}
        assert ingestion.post("/v1/track", json=call, headers=headers).status_code == 401, headers
    assert queued(shop) == []
    for others in ("Bearer None", "Bearer eyJhbGciOi.x.x", "Basic c2hvcDo=", ""):
        payload = {"type": "event", "payload": {"website": shop, "url": "/"}}
        assert ingestion.post("/api/send", json=payload, headers={"authorization": others}).status_code == 200
    assert len(queued(shop)) == 4


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/track", TRACK, "basic"),
        ("/v1/track", TRACK, "bearer"),
        ("/v1/batch", {"batch": [TRACK], "writeKey": "KEY"}, ""),
        ("/api/s/track", TRACK, "x-write-key"),
        ("/batch", CAPTURE | {"api_key": "KEY"}, ""),
        ("/i/v1/analytics/events", {"batch": [CAPTURE]}, "bearer"),
        ("/api/event", {"n": "purchase", "d": "SITE", "u": "/", "$": {"amount": 10, "currency": "EUR"}}, "bearer"),
        ("/api/send", {"type": "event", "payload": PAYLOAD}, ""),
        ("/tracker", {"site_id": "SITE", "events": [PAGE]}, "bearer"),
    ],
)
def test_sdks_send_secret_keys_where_they_have_write_keys(
    ingestion: httpx.Client, tell: Tell, shop: str, other: str, path: str, body: Any, headers: str
) -> None:
    mine, others = tell({"sites": [shop]}, {"sites": [other]}, sites=[SiteRules(site_id=shop, secret_orders=True)])

    def send(key: str) -> httpx.Response:
        text = httpx.Request("POST", "http://x", json=body).content.decode().replace("KEY", key).replace("SITE", shop)
        auth = (key, "") if headers == "basic" else None
        given = {"bearer": bearer(key), "x-write-key": {"x-write-key": f"{key}:x"}}.get(headers, {})
        return ingestion.post(path, content=text, headers=given, auth=auth)  # type: ignore[arg-type]

    answer = send(mine)
    assert answer.status_code in (200, 202), answer.text
    (one,) = queued(shop)
    assert one["event_type"] == "purchase"
    assert "public_key" not in one["properties"]
    assert mine not in str(one)
    assert send(new_key("k")).status_code == 401
    if "SITE" in str(body):
        assert send(others).status_code == (202 if path == "/api/event" else 403)
    assert (len(queued(shop)), len(queued(other))) == (1, 0)


def test_a_key_for_several_sites_needs_the_site_in_the_message(
    ingestion: httpx.Client, tell: Tell, shop: str, other: str
) -> None:
    (key,) = tell({}, sites=[SiteRules(site_id=shop, secret_orders=True)])
    call: dict[str, Any] = {"type": "track", "event": "purchase", "properties": MONEY}
    assert ingestion.post("/v1/track", json=call | {"writeKey": shop}, headers=bearer(key)).status_code == 200
    assert queued(shop)[0]["properties"] == MONEY
    refused = ingestion.post("/v1/track", json=call, headers=bearer(key))
    assert (refused.status_code, "several sites" in refused.json()["message"]) == (401, True)
    assert ingestion.post("/v1/track", json=call | {"writeKey": shop}).status_code == 200
    assert queued(shop)[1]["properties"] == MONEY | {"public_key": True}
