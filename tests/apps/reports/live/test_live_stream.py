"""GET /live/stream, from a server of its own: it sends, it is shared and bounded, and it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Any

import httpx
import msgspec
import pytest
from litestar.response import ServerSentEventMessage

from apps.reporting_resources import CONNECTIONS, ReportingResources
from apps.reports.live_stream import LiveStreamQuery, LiveStreams
from db.settings import load
from db.store.events import store_events
from tests.apps.reports.live.test_live import ago
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.key import AUTHORIZED
from tests.servers.servers import until


@contextmanager
def serving(port: int, **environment: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """The reporting app as uvicorn runs it, and a client of it."""
    command = [sys.executable, "-m", "uvicorn", "apps.reporting:app", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(command, env=os.environ | environment) as process:
        try:
            limits, url = httpx.Limits(max_connections=None), f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, timeout=30, limits=limits, headers=AUTHORIZED) as client:
                until(lambda: answers(client))
                yield client, process
        finally:
            process.kill()


async def always() -> bool:
    return True


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def server(database_url: str, unused_port: int) -> Iterator[httpx.Client]:
    with serving(unused_port) as (client, _):
        yield client


def a_key(server: httpx.Client) -> dict[str, str]:
    """The header with a new key."""
    made = server.post("/keys", json={"name": "a screen", "scopes": ["reports:read"]})
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['secret']}"}


def messages(stream: httpx.Response) -> Iterator[dict[str, Any]]:
    """The reports that a stream sends."""
    assert stream.status_code == 200, stream.read()
    assert stream.headers["content-type"].startswith("text/event-stream")
    for line in stream.iter_lines():
        if line.startswith("data: "):
            yield msgspec.json.decode(line.removeprefix("data: "))


def test_it_sends_what_has_happened_since(server: httpx.Client, conn: Connection, shop: str) -> None:
    with server.stream("GET", "/live/stream", params={"site_id": shop, "every": 1}) as stream:
        reports = messages(stream)
        assert next(reports)["events"] == 0
        store_events(conn, batch(received(shop, timestamp=ago(seconds=5), user_id="ann")))
        assert next(report for report in reports if report["events"])["users"] == 1


def test_all_who_ask_the_same_get_the_same(server: httpx.Client, shop: str) -> None:
    keys = [a_key(server), a_key(server)]
    with ExitStack() as open_streams:
        streams = [
            messages(
                open_streams.enter_context(
                    server.stream(
                        "GET",
                        "/live/stream",
                        params={"site_id": shop, "every": 1, "minutes": 1 + nth // 20},
                        headers=keys[nth // 20],
                    )
                )
            )
            for nth in range(40)
        ]
        assert [next(stream)["events"] for stream in streams] == [0] * 40
        same, different = streams[:20], streams[20:]
        # A moment that is read once, as every query has one of its own, reaches all of them.
        moment = next(same[-1])["as_of"]
        for stream in same[:-1]:
            assert moment in (next(stream)["as_of"] for _ in range(20))
        assert moment not in [next(different[0])["as_of"] for _ in range(3)]


def test_who_goes_away_while_numbers_are_read_leaves_no_connection_behind(
    server: httpx.Client, conn: Connection, shop: str
) -> None:
    with conn.transaction():
        conn.execute("lock table events in access exclusive mode")
        for nth in range(CONNECTIONS):
            with server.stream("GET", "/live/stream", params={"site_id": shop, "minutes": 1 + nth}) as stream:
                assert next(stream.iter_lines()) == "retry: 3000"
                until(lambda: waiting(conn) > nth)  # noqa: B023 (it is called in this round)
    assert server.get("/live", params={"site_id": shop}).status_code == 200


def waiting(conn: Connection) -> int:
    """How many queries wait for a lock on the events."""
    found = conn.execute("select count(*) from pg_locks where relation = 'events'::regclass and not granted").fetchone()
    return int((found or (0,))[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_the_app_stops(
    database_url: str, unused_port: int, shop: str, number: signal.Signals
) -> None:
    with serving(unused_port) as (client, process), ExitStack() as open_streams:
        parameters: dict[str, Any] = {"site_id": shop, "every": 60}
        streams = [
            open_streams.enter_context(client.stream("GET", "/live/stream", params=parameters)) for _ in range(3)
        ]
        readers = [messages(stream) for stream in streams]
        assert [next(reader)["events"] for reader in readers] == [0] * 3
        process.send_signal(number)
        assert process.wait(30) in (0, -number, 128 + number)
        assert [list(reader) for reader in readers] == [[]] * 3  # httpx raises where a body is cut off


def test_it_says_why_there_are_no_numbers_and_goes_on(servers: object, unused_port: int, shop: str) -> None:
    away = {"DATABASE_URL": "postgresql://tjra@127.0.0.1:1/tjra", "AUTH": "off"}
    with (
        serving(unused_port, **away) as (client, _),
        client.stream("GET", "/live/stream", params={"site_id": shop, "every": 1}) as stream,
    ):
        lines = stream.iter_lines()
        for _ in range(2):
            assert next(line for line in lines if line.startswith("event")) == "event: problem"


def test_a_silent_stream_has_a_heartbeat(shop: str) -> None:
    streams = LiveStreams(ReportingResources(load()), heartbeat=0.01)

    async def sent() -> list[bytes]:
        feed = streams.feed(LiveStreamQuery(site_id=shop))
        feed.message, feed.due = ServerSentEventMessage("numbers"), monotonic() + 60
        stream = streams.messages(feed, allowed=always)
        found = [(await anext(stream)).encode() for _ in range(4)]
        streams.stopping.set()
        return found + [message.encode() async for message in stream]

    beat = b": still here\r\n\r\n"
    assert asyncio.run(sent()) == [b"retry: 3000\r\n\r\n", b"data: numbers\r\n\r\n", beat, beat]


def test_a_stream_ends_after_its_seconds_and_shares_with_those_that_do_not(server: httpx.Client, shop: str) -> None:
    with server.stream("GET", "/live/stream", params={"site_id": shop}) as endless:
        assert next(messages(endless))["events"] == 0
        started = monotonic()
        ended = server.get("/live/stream", params={"site_id": shop, "seconds": 1})
        assert 1 <= monotonic() - started < 10
        assert ended.text.count("data: ") >= 1
    for wrong in ("0", "3601", "1.5"):
        refused = server.get("/live/stream", params={"site_id": shop, "seconds": wrong})
        assert refused.json()["errors"][0]["field"] == "seconds"


def test_a_read_that_is_stuck_ends_as_a_problem_and_later_ones_go_on(
    database_url: str, unused_port: int, conn: Connection, shop: str
) -> None:
    with (
        serving(unused_port, REPORT_TIMEOUT_SECONDS="1") as (client, _),
        client.stream("GET", "/live/stream", params={"site_id": shop, "every": 1}) as stream,
    ):
        lines = stream.iter_lines()
        with conn.transaction():
            conn.execute("lock table events in access exclusive mode")
            for _ in range(2):
                assert next(line for line in lines if line.startswith("event")) == "event: problem"
                problem = msgspec.json.decode(next(lines).removeprefix("data: "))
                assert problem["status"] == 504
                assert "took longer than 1 s" in problem["detail"]
        assert any(line.startswith('data: {"site_id"') for line in lines)
        assert waiting(conn) == 0


def test_while_a_read_is_stuck_there_is_a_heartbeat_and_the_app_can_stop(
    database_url: str, conn: Connection, shop: str
) -> None:
    streams = LiveStreams(ReportingResources(load()), heartbeat=0.01)

    async def sent() -> list[bytes]:
        async with streams.resources.pool:
            feed = streams.feed(LiveStreamQuery(site_id=shop))
            stream = streams.messages(feed, allowed=always)
            found = [(await anext(stream)).encode() for _ in range(3)]
            streams.stopping.set()
            found += [message.encode() async for message in stream]
            assert feed.reading
            feed.reading.cancel()
            await asyncio.wait([feed.reading])
            return found

    with conn.transaction():
        conn.execute("lock table events in access exclusive mode")
        beat = b": still here\r\n\r\n"
        assert asyncio.run(sent()) == [b"retry: 3000\r\n\r\n", beat, beat]
