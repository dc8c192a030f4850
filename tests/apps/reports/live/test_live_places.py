"""How many streams of GET /live/stream there may be, of all and of each key or address."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from apps.access.guard import IDENTITY
from apps.reporting_resources import ReportingResources
from apps.reports.live_stream import EACH, MOST, LiveStreams
from apps.web.problems import Refusal
from db.access.scopes import ANYBODY
from db.settings import load
from tests.apps.reports.live.test_live_stream import a_key, serving
from tests.servers.servers import until


@pytest.fixture
def server(database_url: str, unused_port: int) -> Iterator[httpx.Client]:
    with serving(unused_port) as (client, _):
        yield client


def test_there_are_so_many_and_no_more(server: httpx.Client, shop: str) -> None:
    parameters: dict[str, Any] = {"site_id": shop, "every": 60}
    with ExitStack() as open_streams:
        for _ in range(MOST // EACH):
            key = a_key(server)
            for _ in range(EACH):
                stream = server.stream("GET", "/live/stream", params=parameters, headers=key)
                assert open_streams.enter_context(stream).status_code == 200
        refused = server.get("/live/stream", params=parameters)
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert int(refused.headers["retry-after"]) > 0
        assert f"{MOST} streams" in refused.json()["detail"]
    # Their clients are gone.
    for _ in range(2):
        until(lambda: accepted(server, parameters))


def test_one_key_has_a_share_of_them(server: httpx.Client, shop: str) -> None:
    parameters: dict[str, Any] = {"site_id": shop, "every": 60}
    key = a_key(server)
    with ExitStack() as open_streams:
        for _ in range(EACH):
            stream = server.stream("GET", "/live/stream", params=parameters, headers=key)
            assert open_streams.enter_context(stream).status_code == 200
        refused = server.get("/live/stream", params=parameters, headers=key)
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
        assert int(refused.headers["retry-after"]) > 0
        assert f"{EACH} streams of this key" in refused.json()["detail"]
        # What is refused for another reason takes no place, and others have theirs.
        assert server.get("/live/stream", params={"every": 60}, headers=key).status_code == 400
        assert accepted(server, parameters)
    until(lambda: accepted(server, parameters, headers=key))


def test_without_keys_each_address_has_a_share(servers: object) -> None:
    streams = LiveStreams(ReportingResources(load()))
    scopes: list[dict[str, Any]] = [
        {IDENTITY: ANYBODY, "client": (f"192.0.2.{nth}", 1)} for nth in (1, 2) for _ in range(EACH)
    ]
    for scope in scopes:
        streams.count(scope)
    for scope in (scopes[0], scopes[-1]):
        with pytest.raises(Refusal, match="address"):
            streams.count(dict(scope))
    streams.uncount(scopes[0])
    streams.uncount(scopes[0])  # only once
    streams.count(scopes[0])
    for scope in scopes:
        streams.uncount(scope)
    assert not streams.open


def accepted(server: httpx.Client, parameters: dict[str, Any], headers: dict[str, str] | None = None) -> bool:
    with server.stream("GET", "/live/stream", params=parameters, headers=headers) as stream:
        return stream.status_code == 200
