"""Clients that begin and go no further are cut off in time, and nobody else is."""

import asyncio
import socket
from time import monotonic, sleep
from typing import Any

import pytest

from tests.servers.limited import ended, limited
from tests.servers.servers import until

QUICK = {"head_seconds": 0.3, "rest_seconds": 0.3, "stall_seconds": 0.3, "closing_seconds": 0.3, "keep_alive": 0.3}
#: Long beside QUICK: who is still there then is not cut off.
LATER = 1.2
GET = b"GET /%b HTTP/1.1\r\nhost: x\r\n\r\n"
#: More than sockets take of a response whose client does not read.
MUCH = 30_000_000


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads no body. /slow takes its time, /much sends much, other paths answer at once."""
    if scope["path"] == "/slow":
        await asyncio.sleep(LATER)
    body = b"x" * (MUCH if scope["path"] == "/much" else 2)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def dribble(connection: socket.socket, piece: bytes) -> bytes:
    """Send a piece again and again until the server ends the connection; what it says then."""
    began = monotonic()
    connection.settimeout(0.02)
    found = b""
    while monotonic() - began < 10:
        try:
            connection.sendall(piece)
            part = connection.recv(65536)
        except TimeoutError:
            continue
        except ConnectionError:
            return found
        if not part:
            return found
        found += part
    pytest.fail("the connection is still open")


@pytest.mark.parametrize("start", [b"", b"G", b"GET / HTTP/1.1\r\nhost: x\r\n", GET % b"" + b"GET / HT"])
def test_an_unfinished_head_ends_in_time(start: bytes) -> None:
    with limited(app, **QUICK) as server:
        with server.connect() as connection:
            connection.sendall(start)
            silent = ended(connection)
        with server.connect() as connection:
            connection.sendall(start)
            sleep(0.05)  # longer than nothing, or the head would be whole at once
            dribbled = dribble(connection, b"x" if start else b"G")
    assert (b" 408 " in silent) == bool(start) or start.startswith(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b" 408 " in dribbled or b" 400 " in dribbled


def test_a_head_that_is_dribbled_is_told_what_was_too_slow() -> None:
    with limited(app, **QUICK) as server, server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx: ")
        told = dribble(connection, b"y")
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b"the head of the request did not arrive within 0.3 s" in told


@pytest.mark.parametrize("length", [b"content-length: 1000000", b"transfer-encoding: chunked"])
def test_a_body_that_nobody_reads_ends_in_time(length: bytes) -> None:
    with limited(app, **QUICK | {"keep_alive": 60}) as server:
        for piece in (b"", b"1\r\n1\r\n"):
            with server.connect() as connection:
                connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\n%b\r\n\r\n" % length)
                assert (dribble(connection, piece) if piece else ended(connection)).endswith(b"\r\n\r\nxx")


def test_a_body_that_comes_after_its_response_is_no_reason_to_close() -> None:
    with limited(app, **QUICK | {"keep_alive": 60}) as server, server.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n")
        assert connection.recv(65536).endswith(b"xx")
        connection.sendall(b"abc")
        sleep(LATER)
        connection.sendall(GET % b"")
        assert connection.recv(65536).endswith(b"xx")


def test_who_takes_nothing_of_a_response_is_given_up() -> None:
    with limited(app, **QUICK) as server:
        # The second is closed by the server after the response.
        for head in (GET, b"GET /%b HTTP/1.0\r\n\r\n"):
            with server.connect() as connection:
                before = server.server.server_state.total_requests
                connection.sendall(head % b"much")
                until(lambda: server.server.server_state.total_requests > before)  # noqa: B023 (in this round)
                until(lambda: not server.connections.open)
                assert len(ended(connection)) < MUCH


def test_who_works_is_waited_for_and_who_is_idle_is_not() -> None:
    with limited(app, **QUICK) as server, server.connect() as connection:
        began = monotonic()
        connection.sendall(GET % b"slow")
        assert ended(connection).endswith(b"xx")
        assert LATER <= monotonic() - began < 10


def test_a_client_that_is_quick_enough_every_time_is_served_for_long() -> None:
    whole = GET % b""
    with limited(app, **QUICK | {"head_seconds": 1.0, "keep_alive": 1.0}) as server, server.connect() as connection:
        for _ in range(15):
            connection.sendall(whole[:9])
            sleep(0.1)
            connection.sendall(whole[9:])
            assert connection.recv(65536).endswith(b"xx")
