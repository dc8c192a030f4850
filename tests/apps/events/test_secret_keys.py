"""Secret write keys, registered sites and their settings, where events are sent."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import RESERVED_NCS, UUID

import httpx
import pytest

from apps.events.admission import Admission
from apps.sdks.shared.resources import SdkResources
from db.access.snapshot import SiteRules
from db.access.tokens import new_key
from tests.apps.events.conftest import MONEY, Tell, basic, bearer, order, queued
from tests.builders.factories import event


def test_a_key_in_the_address_is_refused_and_told_where_it_goes(ingestion: httpx.Client, tell: Tell, shop: str) -> None:
    (good,) = tell({})
    for path, body in (("/event", event(shop)), ("/event/", event(shop)), ("/events", [event(shop)])):
        for parameters in ({"key": "x"}, {"api_key": ""}, {"anything": good}):
            answer = ingestion.post(path, json=body, params=parameters)
            assert answer.status_code == 400, answer.text
            if path != "/events":
                assert "Authorization: Bearer" in answer.json()["errors"][0]["allowed"]
    assert queued(shop) == []
    assert ingestion.post("/event", params={"v": "2"}, json=event(shop)).status_code == 202


def test_a_key_is_no_site(ingestion: httpx.Client, shop: str) -> None:
    for key in (new_key("k"), new_key("a"), f'"{new_key("k")}"', new_key("k")[:-3]):
        for answer in (
            ingestion.post("/event", json=event(key)),
            ingestion.post("/events", json=[event(key)]),
        ):
            assert answer.status_code == 400
            assert "is a key" in answer.text
            assert key[10:20] not in answer.text
        mixed = ingestion.post("/events", json=[event(shop), event(key)]).json()
        assert (mixed["accepted"], mixed["rejected"][0]["errors"][0]["field"]) == (1, "site_id")
        assert queued(key) == []
    assert len(queued(shop)) == 4


def test_a_key_that_is_not_valid_is_refused_whatever_the_reason(ingestion: httpx.Client, tell: Tell, shop: str) -> None:
    ended = datetime.now(UTC) - timedelta(seconds=1)
    good, admin, expired, reader = tell({}, {"scopes": ["admin"]}, {"expires_at": ended}, {"scopes": ["reports:read"]})
    for path, body in (("/event", event(shop)), ("/event/", event(shop)), ("/events", [event(shop)])):
        for key, status in ((good, 202), (admin, 202), (expired, 401), (new_key("k"), 401), (good[:-1] + "!", 401)):
            answer = ingestion.post(path, json=body, headers=bearer(key))
            assert answer.status_code == status, answer.text
            if status == 401:
                assert answer.headers["www-authenticate"] == 'Bearer realm="tjra", error="invalid_token"'
        lacking = ingestion.post(path, json=body, headers=bearer(reader))
        assert (lacking.status_code, lacking.json()["detail"]) == (403, "the key lacks the scope events:write")
        assert 'scope="events:write"' in lacking.headers["www-authenticate"]
        # Of another program, such as a proxy in between: as if it were not there.
        for others in ("Basic c2hvcDo=", "Basic %", "Negotiate YIIJvw", 'Digest username="ann"', ""):
            assert ingestion.post(path, json=body, headers={"authorization": others}).status_code == 202
    assert len(queued(shop)) == 3 * 7


def test_who_means_to_send_a_key_never_sends_without_one(ingestion: httpx.Client, tell: Tell, shop: str) -> None:
    (good,) = tell({})
    named = (
        {"authorization": good},
        {"x-api-key": good},
        {"x-write-key": f"{good}:x"},
        {"authorization": f"Token {good}"},
    )
    cut, loud, quoted = good[1:], good.upper(), f'"{good}"'
    wrong = (*named, *({"authorization": f"Bearer {one}"} for one in ("x", "eyJhbGciOi.x.x", cut, loud, quoted, "")))
    wrong += {"authorization": "Bearer"}, {"authorization": "x"}, {"authorization": f"Basic {basic(good + 'x')}"}
    for path, body in (("/event", event(shop)), ("/event/", event(shop)), ("/events", [event(shop)])):
        for headers in wrong:
            answer = ingestion.post(path, json=body, headers=headers)
            assert answer.status_code in (400, 401), headers
            assert "Bearer" in answer.headers["www-authenticate"]
        both = [("authorization", f"Bearer {good}"), ("authorization", f"Bearer {good}")]
        assert ingestion.post(path, json=body, headers=both).status_code in (400, 401)
        for pair in (f"{good}:", f":{good}"):  # where SDKs have it
            headers = {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
            assert (
                ingestion.post(
                    path, json=[order(shop)] if path == "/events" else order(shop), headers=headers
                ).status_code
                == 202
            )
    assert len(queued(shop)) == 3 * 2
    assert all(UUID(one["event_id"]).variant == RESERVED_NCS for one in queued(shop))


def test_a_key_of_another_site_is_refused_by_name(ingestion: httpx.Client, tell: Tell, shop: str, other: str) -> None:
    (key,) = tell({"sites": [shop]})
    answer = ingestion.post("/event", json=event(other), headers=bearer(key))
    assert (answer.status_code, answer.json()["detail"]) == (403, f"the key is not for the site {other!r}")
    batch = [event(shop), event(other, revenue=1), {"site_id": shop}, event(shop)]
    answer = ingestion.post("/events?ids=true", json=batch, headers=bearer(key))
    found = answer.json()
    assert (answer.status_code, found["accepted"]) == (202, 2)
    assert [(one["index"], one["errors"][0]["field"]) for one in found["rejected"]] == [
        (1, "site_id"),
        (2, "event_type"),
    ]
    assert [event_id is None for event_id in found["event_ids"]] == [False, True, True, False]
    assert "ignored_fields" not in found
    assert (len(queued(shop)), queued(other)) == (2, [])
    refused = ingestion.post("/events", json=[event(other)], headers=bearer(key))
    assert (refused.status_code, other in refused.json()["rejected"][0]["errors"][0]["reason"]) == (400, True)


def test_orders_without_a_secret_key_are_marked_where_the_site_wants_one(
    ingestion: httpx.Client, tell: Tell, shop: str, other: str
) -> None:
    (key,) = tell({}, sites=[SiteRules(site_id=shop, secret_orders=True)])
    odd = {"event_type": "sold", "properties": {"total": 1}}
    sent = [
        order(shop),
        order(shop, public_key=False),
        event(shop, event_type="refund"),
        event(shop, **odd),
        event(shop),
    ]
    for one in (*sent, order(other)):
        assert ingestion.post("/event", json=one).status_code == 202
    assert [(one.get("properties") or {}).get("public_key") for one in queued(shop)] == [True] * 4 + [None]
    assert queued(other)[0]["properties"] == MONEY
    ingestion.post("/events", json=[order(shop), order(shop, public_key=True)], headers=bearer(key))
    assert [one["properties"] for one in queued(shop)[5:]] == [MONEY, MONEY]


def test_a_site_may_have_a_currency(ingestion: httpx.Client, tell: Tell, shop: str) -> None:
    (key,) = tell({}, sites=[SiteRules(site_id=shop, currency="CHF", secret_orders=True)])
    given = [{"revenue": 1}, {"revenue": 1, "currency": " "}, {"revenue": 1, "currency": "EUR"}, {"order_id": "7"}]
    batch = [*(event(shop, event_type="purchase", properties=one) for one in given), event(shop)]
    assert ingestion.post("/events", json=batch, headers=bearer(key)).status_code == 202
    assert [(one.get("properties") or {}).get("currency") for one in queued(shop)] == ["CHF", "CHF", "EUR", "CHF", None]


def test_only_pages_of_a_site_may_send_its_events(ingestion: httpx.Client, tell: Tell, shop: str, other: str) -> None:
    tell(sites=[SiteRules(site_id=shop, origins=["https://shop.example"])])
    for origin, status in ((None, 202), ("https://shop.example", 202), ("https://evil.example", 403), ("null", 403)):
        headers = {} if origin is None else {"origin": origin}
        answer = ingestion.post("/event", json=event(shop), headers=headers)
        assert answer.status_code == status, origin
        assert answer.headers["access-control-allow-origin"] == "*"
        assert ingestion.post("/event", json=event(other), headers=headers).status_code == 202
        both = ingestion.post("/events", json=[event(shop), event(other)], headers=headers).json()
        assert both["accepted"] == (2 if status == 202 else 1)
        if status == 403:
            assert origin in answer.json()["detail"]
            assert shop in answer.json()["errors"][0]["reason"]
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    assert ingestion.options("/event", headers=preflight).status_code == 204


def test_with_registered_sites_no_other_sends(ingestion: httpx.Client, tell: Tell, shop: str, other: str) -> None:
    tell(sites=[SiteRules(site_id=shop)], registered=True)
    assert ingestion.post("/event", json=event(shop)).status_code == 202
    answer = ingestion.post("/event", json=event(other))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "site_id")
    assert "not registered" in answer.json()["errors"][0]["reason"]
    batch = ingestion.post("/events", json=[event(other), event(shop)]).json()
    assert (batch["accepted"], batch["rejected"][0]["index"]) == (1, 0)
    call = {"type": "track", "event": "x", "userId": "ann"}
    assert ingestion.post("/v1/track", json=call | {"writeKey": other}).status_code == 401
    assert ingestion.post("/v1/track", json=call | {"writeKey": shop}).status_code == 200
    assert ingestion.get(f"/v1/projects/{other}/settings").status_code == 401
    assert ingestion.post("/api/event", json={"n": "pageview", "d": other, "u": "/"}).status_code == 202  # dropped
    assert (len(queued(shop)), queued(other)) == (3, [])


def test_what_could_be_forged_waits_until_a_worker_has_told(
    ingestion: httpx.Client, sdk_resources: SdkResources, monkeypatch: pytest.MonkeyPatch, shop: str
) -> None:
    monkeypatch.setattr(sdk_resources.events.snapshots, "known", None)
    assert ingestion.post("/event", json=event(shop)).status_code == 202
    call = {"type": "track", "event": "Order Completed", "writeKey": shop, "properties": MONEY}
    for answer in (
        ingestion.post("/event", json=order(shop)),
        ingestion.post("/events", json=[event(shop), order(shop)]),
        ingestion.post("/event", json=event(shop), headers=bearer(new_key("k"))),
        ingestion.post("/v1/track", json=call),
    ):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert len(queued(shop)) == 1


def test_a_public_request_costs_one_look_at_its_headers(sdk_resources: SdkResources) -> None:
    class Untouched:
        known = None

    admission = Admission(sdk_resources.events.settings, Untouched())  # type: ignore[arg-type]
    headers = [(b"host", b"x"), (b"content-type", b"application/json")]
    assert admission.sender({"headers": headers, "query_string": b""}) == (None, None)
    assert admission.sender({"headers": [*headers, (b"authorization", b"Basic c2hvcDo=")], "query_string": b""}) == (
        None,
        None,
    )
