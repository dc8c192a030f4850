"""Whatever arrives on a socket: an answer with 2xx to 4xx or none, no hang, memory bounded, and no traceback."""

import json
import socket

import pytest

from apps.server.protocol import HEAD_BYTES
from tests.builders.factories import event
from tests.servers.key import BEARER
from tests.servers.serving import MIB, Served, rest_of

GOOD = json.dumps(event("shop")).encode()

METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW", "post"]
BAD_HEADERS = [
    ["content-length: -1"],
    ["content-length: x"],
    ["content-length: 1e3"],
    ["content-length: " + "9" * 30],
    ["content-length: 9999999"],
    ["content-length: 5", "content-length: 6"],
    ["content-length: 5", "transfer-encoding: chunked"],
    ["transfer-encoding: x"],
    ["x: " + "y" * 100_000],
    ["x" * 100_000 + ": y"],
    [f"x{number}: y" for number in range(2000)],
    ["x: \0"],
    ["x\0: y"],
    [": y"],
    ["x"],
    [" folded"],
    ["content-encoding: " + "gzip, " * 1000],
    ["expect: 100-continue", "content-length: 9999999"],
    ["expect: everything"],
    ["upgrade: websocket", "connection: upgrade", "sec-websocket-key: x", "sec-websocket-version: 13"],
]
BAD_PATHS = [
    *("/event", "/events", "/health", "/", "*", "//event", "/event/..", "/event%2f", "/events/x"),
    *("/%00", "/%ff%fe", "/\xff", "/schema/%00", "/schema/assets/%00", "/schema/assets/..%2f..%2f%ff"),
    "/" + "x" * 60_000,
]
BAD_DATES = [
    *("0000-00-00", "0000-01-01", "10000-01-01", "2026-02-30", "0001-01-01", "9999-12-31"),
    *("-1", "1e999", "NaN", "infinity", "-infinity", "today", "%00"),
]
BAD_QUERIES = [
    *("", "site_id", "site_id=", "site_id=%", "site_id=%zz", "site_id=%00", "site_id=%ff", "site_id=%ed%a0%80"),
    *("site_id=\xff", "%00=%00", "?site_id=s", "site_id=s;date=2026-03-10", "site_id[]=s"),
    *("site_id=s&site_id=s", "site_id=s&site_id="),
    *("site_id=" + "x" * 100_000, "&" * 100_000, "=" * 100_000, "&".join(f"a{number}=" for number in range(10_000))),
    *(f"site_id=s&date={date}" for date in BAD_DATES),
]


def request(path: str, *headers: str, method: str = "POST", body: bytes = b"") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: x", *headers, "", ""]).encode("latin-1") + body


def test_a_body_without_end_is_refused_and_takes_no_memory(ingestion_server: Served) -> None:
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    for path in ("/event", "/events"):
        with ingestion_server.takes_at_most(64 * MIB), ingestion_server.connect() as connection:
            connection.sendall(request(path, "transfer-encoding: chunked"))
            for _ in range(2000):  # 125 MiB
                connection.sendall(chunk)
            assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/event", "/event/", "/events"])
@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("content-length: 1000", b""),
        ("content-length: 1000", b"{"),
        ("transfer-encoding: chunked", b""),
        ("transfer-encoding: chunked", b"1\r\n{\r\n"),
    ],
)
def test_who_is_too_slow_is_told_and_cut_off(ingestion_server: Served, path: str, header: str, body: bytes) -> None:
    answer = ingestion_server.exchange(request(path, header, body=body))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer
    assert b"the body did not arrive within 1 s" in answer


def test_clients_that_go_away_harm_nobody(ingestion_server: Served) -> None:
    for path in ("/event", "/event/", "/events"):
        for _ in range(50):
            with ingestion_server.connect() as connection:
                connection.sendall(request(path, "content-length: 60000", body=b"["))
    headers = ("connection: close", f"content-length: {len(GOOD)}")
    assert ingestion_server.exchange(request("/event", *headers, body=GOOD)).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize("headers", BAD_HEADERS, ids=lambda headers: headers[0][:40])
@pytest.mark.parametrize("path", ["/event", "/events"])
def test_bad_headers_are_refused(ingestion_server: Served, path: str, headers: list[str]) -> None:
    with ingestion_server.connect() as connection:
        connection.sendall(request(path, "connection: close", *headers, body=b"hello"))
        connection.shutdown(socket.SHUT_WR)
        answer = rest_of(connection)
    # Nothing comes where the server takes the end of what was sent for a client that went away.
    assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 100 "))
    assert b"HTTP/1.1 5" not in answer


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: repr(path)[:30])
def test_every_method_on_every_path_is_answered(ingestion_server: Served, method: str, path: str) -> None:
    answer = ingestion_server.exchange(request(path, "connection: close", method=method))
    assert answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4"))


@pytest.mark.parametrize("query", BAD_QUERIES, ids=lambda query: repr(query)[:40])
@pytest.mark.parametrize("path", ["/stats"])
def test_every_query_is_answered(reporting_server: Served, path: str, query: str) -> None:
    answer = reporting_server.exchange(request(f"{path}?{query}", "connection: close", BEARER, method="GET"))
    too_long = len(query) > HEAD_BYTES
    assert answer.startswith(b"HTTP/1.1 414 " if too_long else (b"HTTP/1.1 200 ", b"HTTP/1.1 400 "))
