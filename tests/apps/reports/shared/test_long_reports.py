"""Reports that take long, here because events are locked: who hangs up frees the database, and nobody else waits."""

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection

from apps.reporting_resources import CONNECTIONS, LONG
from apps.reports.shared.disconnects import Attended
from apps.reports.shared.execution import TOO_MANY_LONG
from db.settings import Settings
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection
from tests.servers.key import AUTHORIZED, BEARER
from tests.servers.servers import until
from tests.servers.serving import Served, rest_of, serve

RANGE = {"from": "2026-03-10", "to": "2026-03-12"}
FUNNEL: dict[str, Any] = {**RANGE, "step": ["page_view;path:is:/", "click"]}
#: A report of each kind that reads events.
LONG_REPORTS: dict[str, dict[str, Any]] = {
    "/funnel": FUNNEL,
    "/timeseries": {**RANGE, "filter": "properties.plan:is:paid"},
    "/breakdown": {**RANGE, "dimension": "user_id"},
    "/revenue": {**RANGE, "filter": "path:is:/"},
    "/customers": RANGE,
    "/customers/cohorts": RANGE,
    "/customers/best": RANGE,
    "/products": RANGE,
    "/retention": {**RANGE, "filter": "path:is:/"},
    "/sessions": {**RANGE, "filter": "path:is:/"},
    "/journeys": {**RANGE, "path": "/", "filter": "event_type:is:page_view"},
    "/events": RANGE,
    "/events/export": RANGE,
    "/users/ann": RANGE,
}


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The reporting app."""
    folder = tmp_path_factory.mktemp("reporting")
    with serve("reporting", folder, KEEP_ALIVE_SECONDS="1") as served:
        yield served
        assert "Traceback" not in served.log()


@pytest.fixture
def site(conn: Connection, shop: str) -> str:
    store_events(conn, batch(received(shop, timestamp="2026-03-10T00:00:00Z", path="/", user_id="ann")))
    return shop


@pytest.fixture
def locked(database_url: str, site: str) -> Iterator[None]:
    """Nobody can read events until the end of the test."""
    with psycopg.connect(database_url) as conn:
        conn.execute("lock table events in access exclusive mode")
        yield


def held_up(conn: Connection) -> int:
    """How many reports of the app wait for the lock."""
    (count,) = conn.execute(
        "select count(*) from pg_stat_activity where application_name = 'tjra reporting' and wait_event_type = 'Lock'"
    ).fetchone() or (0,)
    return int(count)


def get(server: Served, route: str, site: str, **parameters: Any) -> httpx.Response:
    return httpx.get(server.url + route, params={"site_id": site, **parameters}, timeout=30, headers=AUTHORIZED)


def asking(server: Served, route: str, site: str, parameters: dict[str, Any]) -> socket.socket:
    """A connection on which this was asked, and no answer is read."""
    url = httpx.URL(server.url + route, params={"site_id": site, **parameters})
    connection = server.connect()
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (url.raw_path, BEARER.encode()))
    return connection


@pytest.mark.usefixtures("locked")
def test_what_nobody_waits_for_ends_in_the_database_and_holds_up_nobody(
    server: Served, conn: Connection, site: str
) -> None:
    clients = [asking(server, "/funnel", site, FUNNEL) for _ in range(10)]
    until(lambda: held_up(conn) == LONG)
    assert get(server, "/stats", site).json()["total_views"] == 1
    for client in clients:
        client.close()
    until(lambda: not held_up(conn), timeout=5)
    assert get(server, "/stats", site).json()["total_views"] == 1
    found = re.search(r'count\{method="GET",route="/funnel",status="499"} (\d+)', get(server, "/metrics", site).text)
    assert found
    assert int(found[1]) >= LONG


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("route", LONG_REPORTS)
def test_each_kind_of_report_is_ended_and_its_connection_kept(
    server: Served, conn: Connection, site: str, route: str
) -> None:
    def connected() -> set[Any]:
        query = "select pid from pg_stat_activity where application_name = 'tjra reporting'"
        return {pid for (pid,) in conn.execute(query)}

    client = asking(server, route, site, LONG_REPORTS[route])
    until(lambda: held_up(conn) == 1)
    before = connected()
    client.close()
    until(lambda: not held_up(conn), timeout=5)
    assert before <= connected()


@pytest.mark.usefixtures("locked")
def test_while_all_turns_are_taken_the_quick_are_answered_and_the_others_told_why(
    server: Served, conn: Connection, site: str
) -> None:
    clients = [asking(server, "/funnel", site, FUNNEL) for _ in range(LONG)]
    until(lambda: held_up(conn) == LONG)
    clients += [asking(server, "/sessions", site, LONG_REPORTS["/sessions"]) for _ in range(CONNECTIONS)]
    with ThreadPoolExecutor(1) as threads:
        more = threads.submit(get, server, "/events", site, **RANGE)
        for _ in range(3):
            assert get(server, "/stats", site).status_code == 200
            quick = get(server, "/timeseries", site, **RANGE, metric="views")
            assert (quick.status_code, quick.json()["source"]) == (200, "rollups")
            assert get(server, "/ready", site).json()["checks"]["postgresql"] == {"status": "ok"}
        answer = more.result()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["detail"] == TOO_MANY_LONG
    for client in clients:
        client.close()
    until(lambda: not held_up(conn), timeout=5)


def test_what_takes_too_long_is_ended_and_says_so(database_url: str) -> None:
    sent: list[Any] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        async with await AsyncConnection.connect(database_url) as conn:
            await conn.execute("select pg_sleep(600)")

    async def receive() -> Any:
        await asyncio.sleep(600)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Attended(slow, seconds=0.2)({"type": "http", "method": "GET"}, receive, send))
    start, body = sent
    assert start["status"] == 504
    assert "longer than 0.2 s and was ended" in json.loads(body["body"])["detail"]
    assert "REPORT_TIMEOUT_SECONDS" in json.loads(body["body"])["detail"]
    assert Settings().report_timeout_seconds == 60


@pytest.mark.usefixtures("locked")
def test_a_limit_of_the_database_is_told_as_such(reporting: httpx.Client, conn: Connection, site: str) -> None:
    with ThreadPoolExecutor(1) as clients:
        asked = clients.submit(reporting.get, "/funnel", params={"site_id": site, **FUNNEL})
        until(lambda: held_up(conn) == 1)
        conn.execute(
            "select pg_cancel_backend(pid) from pg_stat_activity "
            "where application_name = 'tjra reporting' and wait_event_type = 'Lock'"
        )
        answer = asked.result()
    assert (answer.status_code, "statement_timeout" in answer.json()["detail"]) == (504, True)


def test_a_body_that_nobody_asked_for_is_no_obstacle(server: Served, site: str) -> None:
    head = f"GET /stats?site_id={site} HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n"
    head += "Content-Length: 200000\r\nConnection: close\r\n\r\n"
    assert server.exchange(head.encode() + b"x" * 200_000).startswith(b"HTTP/1.1 200 ")


def test_an_idle_connection_is_kept_as_long_as_is_set(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        answered = time.monotonic()
        assert rest_of(connection).startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - answered < 5  # it is closed after KEEP_ALIVE_SECONDS, not after uvicorn's 5
    assert Settings().keep_alive_seconds > 120  # longer than Caddy keeps one
