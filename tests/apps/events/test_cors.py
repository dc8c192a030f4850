"""Pages on other origins may send events, and read all answers to that."""

from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from apps.ingestion import create_app
from db.settings import load
from tests.builders.factories import event
from tests.servers.key import AUTHORIZED

PREFLIGHT = {
    "origin": "https://shop.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type,x-umami-cache",
}


@pytest.mark.parametrize("path", ["/event", "/events", "/v1/t", "/api/event", "/api/send", "/e/", "/batch/"])
def test_a_preflight_is_allowed(ingestion: httpx.Client, path: str) -> None:
    answer = ingestion.options(path, headers=PREFLIGHT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"]
    for name in ("content-type", "authorization", "x-umami-cache", "x-write-key", "x-retry-count"):
        assert name in allowed


@pytest.mark.parametrize("path", ["/event", "/event/", "/events", "/nothing"])
@pytest.mark.parametrize("body", ["good", "bad"])
def test_answers_and_errors_can_be_read_by_any_page(ingestion: httpx.Client, shop: str, path: str, body: str) -> None:
    content: Any = event(shop) if body == "good" else {}
    if path == "/events":
        content = [content]
    answer = ingestion.post(path, json=content, headers={"content-type": "text/plain", "origin": "https://a.example"})
    assert answer.status_code == (404 if path == "/nothing" else 202 if body == "good" else 400)
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert answer.headers["access-control-expose-headers"] == "retry-after, x-message-id"


@pytest.mark.parametrize("path", ["/metrics", "/health", "/schema/openapi.json"])
def test_what_is_not_for_pages_cannot_be_read_by_them(ingestion: httpx.Client, path: str) -> None:
    answer = ingestion.get(path, headers={"origin": "https://a.example"} | AUTHORIZED)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_origins_that_are_set_are_the_only_ones(shop: str) -> None:
    origins = "https://shop.example, https://www.shop.example"
    client = TestClient(create_app(msgspec.structs.replace(load(), cors_origins=origins)))
    for path in ("/event", "/events"):
        for origin, allowed in (
            ("https://www.shop.example", True),
            ("https://elsewhere.example", False),
            (None, False),
        ):
            headers = {"origin": origin} if origin else {}
            answer = client.post(path, content=b"{", headers=headers)
            assert answer.status_code == 400
            assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
            assert answer.headers["vary"] == "origin"
