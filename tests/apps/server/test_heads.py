"""Heads, trailers and extensions of chunks that are too large: refused in words, and memory is bounded."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from apps.server.protocol import HEAD_BYTES, MOST_HEADERS
from apps.up.processes.child_process import ChildProcess
from tests.servers.limited import Limited, ended, limited
from tests.servers.servers import eventually
from tests.servers.serving import MIB, Served, rest_of

SIZE = 20 * MIB
CHUNKED = b"POST /%b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
#: The status, what is sent first, and what is sent again and again.
ATTACKS = {
    "a header": (431, b"GET /%b HTTP/1.1\r\nhost: x\r\nx: ", b"y" * 65536),
    "a name": (431, b"GET /%b HTTP/1.1\r\nhost: x\r\n", b"y" * 65536),
    "headers": (431, b"GET /%b HTTP/1.1\r\nhost: x\r\n", b"a: b\r\n" * 10_000),
    "an address": (414, b"GET /%b?", b"y" * 65536),
    "trailers": (431, CHUNKED + b"1\r\n{\r\n0\r\n", b"a: b\r\n" * 10_000),
    "a trailer": (431, CHUNKED + b"1\r\n{\r\n0\r\na: ", b"y" * 65536),
    "an extension": (431, CHUNKED + b"1;a=", b"y" * 65536),
}


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the path, the number of headers and the body."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    told = f"{scope['path']} {len(scope['headers'])} {body.decode()}".encode()
    headers = [(b"content-length", b"%d" % len(told))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


@pytest.fixture(scope="module")
def echoing() -> Iterator[Limited]:
    with limited(echo) as server:
        yield server


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", ["ingestion", "reporting"])
def test_what_has_no_end_is_refused_and_takes_no_memory(name: str, attack: str, request: pytest.FixtureRequest) -> None:
    served: Served = request.getfixturevalue(f"{name}_server")
    status, start, piece = ATTACKS[attack]
    # A path that reads its body, where there is any.
    path = b"event" if name == "ingestion" else b"keys"
    with served.takes_at_most(4 * MIB), served.connect() as connection:
        connection.sendall(start % path)
        for _ in range(SIZE // len(piece)):
            connection.sendall(piece)
        answer = rest_of(connection)
    # Reporting has refused a request without a key before it looks for its body.
    early = attack in ("trailers", "a trailer", "an extension") and name == "reporting"
    assert answer.startswith(b"HTTP/1.1 401 " if early and b" 401 " in answer else b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_says_what_is_too_large(echoing: Limited, attack: str) -> None:
    status, start, piece = ATTACKS[attack]
    with echoing.connect() as connection:
        connection.sendall(start % b"")
        connection.sendall(piece * 2)
        head, _, body = rest_of(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in head
    problem = msgspec.json.decode(body)
    assert problem["status"] == status
    assert f"may have {HEAD_BYTES:,} bytes" in problem["detail"]


def head_of(size: int) -> bytes:
    start, end = b"GET /x HTTP/1.1\r\nconnection: close\r\nx: ", b"\r\n\r\n"
    return start + b"y" * (size - len(start) - len(end)) + end


def test_the_limits_are_what_they_say(echoing: Limited) -> None:
    for request, status in (
        (head_of(HEAD_BYTES), 200),
        (head_of(HEAD_BYTES + 4096), 431),
        (b"GET /x HTTP/1.1\r\nconnection: close\r\n" + b"a: b\r\n" * (MOST_HEADERS - 1) + b"\r\n", 200),
        (b"GET /x HTTP/1.1\r\nconnection: close\r\n" + b"a: b\r\n" * MOST_HEADERS + b"\r\n", 431),
        (b"GET /" + b"x" * 30_000 + b" HTTP/1.1\r\nconnection: close\r\n\r\n", 200),
        (b"GET /" + b"x" * HEAD_BYTES + b" HTTP/1.1\r\nconnection: close\r\n\r\n", 414),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nx: " + b"y" * 20_000 + b"\r\nconnection: close\r\n\r\n", 414),
    ):
        with echoing.connect() as connection:
            connection.sendall(request)
            assert rest_of(connection).startswith(b"HTTP/1.1 %d " % status), request[:50]


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_any_size_are_the_same_requests(echoing: Limited, seed: int) -> None:
    chance = random.Random(seed)
    requests, answers = [], []
    for nth in range(12):
        size = chance.choice([0, 1, 100, 40_000, 300_000])
        body = bytes(chance.choices(b"abc", k=size))
        padding = b"y" * chance.choice([1, 30_000])
        if chance.random() < 0.5:
            headers = b"content-length: %d\r\nx: %b\r\n\r\n" % (size, padding)
            requests.append(b"POST /%d HTTP/1.1\r\n%b%b" % (nth, headers, body))
        else:
            chunks = b"".join(
                b"%x;note=%b\r\n%b\r\n" % (len(part), b"z" * chance.choice([1, 9_000]), part)
                for part in (body[start : start + 7_000] for start in range(0, size, 7_000))
            )
            headers = b"transfer-encoding: chunked\r\nx: %b\r\n\r\n" % padding
            requests.append(b"POST /%d HTTP/1.1\r\n%b%b0\r\nsome: trailer\r\n\r\n" % (nth, headers, chunks))
        answers.append(b"/%d 2 %b" % (nth, body))  # no trailer is a header
    whole = b"".join(requests)
    with echoing.connect() as connection:
        # Each is answered before the next is sent, or all are sent at once.
        for part in requests if seed % 2 else [whole]:
            start = 0
            while start < len(part):
                size = chance.choice([1, 50, 10_000, 100_000, 400_000])
                connection.sendall(part[start : start + size])
                start += size
        found = b""
        while not found.endswith(answers[-1]):
            found += connection.recv(1 << 20)
    place = 0
    for answer in answers:
        place = found.index(b"\r\n\r\n" + answer, place)


def test_what_is_no_http_is_told_so(echoing: Limited) -> None:
    for nonsense in (b"\x16\x03\x01 hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET http:// HTTP/1.1\r\n\r\n"):
        with echoing.connect() as connection:
            connection.sendall(nonsense)
            answer = ended(connection)
        assert answer.startswith(b"HTTP/1.1 400 "), nonsense
        assert b"application/problem+json" in answer


def test_nothing_is_upgraded(echoing: Limited) -> None:
    for protocol in (b"h2c", b"websocket"):
        with echoing.connect() as connection:
            connection.sendall(b"GET /x HTTP/1.1\r\nconnection: upgrade\r\nupgrade: %b\r\n\r\n" % protocol)
            answer = rest_of(connection)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer


def test_the_limits_hold_under_plain_uvicorn_too(database_url: str, unused_port: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "uvicorn", "apps.ingestion:app", "--port", str(unused_port)]
    child = ChildProcess("uvicorn", [*command, "--log-level", "warning"], log=tmp_path / "log", grace=15)
    child.start()
    try:
        served = Served(child, ("127.0.0.1", unused_port))
        eventually(lambda: httpx.get(f"{served.url}/health").raise_for_status())
        assert served.exchange(head_of(2 * HEAD_BYTES)).startswith(b"HTTP/1.1 431 ")
    finally:
        child.stop()
