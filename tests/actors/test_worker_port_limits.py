"""The port of a worker stays small, whatever clients do: heads, times, connections."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic
from typing import Any

import httpx
import pytest

from actors.worker.health import Handler
from actors.worker.http_server import HEAD_BYTES, MOST, LimitedServer
from tests.servers.limited import ended
from tests.servers.servers import until

METRICS = b"GET /metrics HTTP/1.1\r\nhost: x\r\n%b\r\n"


@pytest.fixture(params=[10.0])
def port(request: pytest.FixtureRequest) -> Iterator[LimitedServer]:
    """A port; its parameter is how many seconds a connection may take."""
    server = LimitedServer(("127.0.0.1", 0), Handler)
    server.seconds = request.param
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def connect(port: LimitedServer) -> socket.socket:
    address: Any = port.server_address
    return socket.create_connection(address, timeout=20)


def test_a_head_has_a_limit(port: LimitedServer) -> None:
    size = HEAD_BYTES - len(METRICS) - 10
    for request, status in (
        (METRICS % b"", 200),
        (METRICS % (b"x: " + b"y" * size + b"\r\n"), 200),
        (METRICS % (b"x: " + b"y" * HEAD_BYTES + b"\r\n"), 431),
        (METRICS % (b"a: bcdef\r\n" * 90), 200),
        (METRICS % ((b"x: " + b"y" * 600 + b"\r\n") * 60), 431),
        (b"GET /" + b"x" * HEAD_BYTES + b" HTTP/1.1\r\n\r\n", 414),
    ):
        with connect(port) as connection:
            connection.sendall(request)
            assert ended(connection).startswith(b"HTTP/1.0 %d " % status), request[:60]


@pytest.mark.parametrize("port", [0.3], indirect=True)
@pytest.mark.parametrize("start", [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nx: "])
def test_an_unfinished_request_ends_in_time(port: LimitedServer, start: bytes) -> None:
    with connect(port) as connection:
        connection.sendall(start)
        connection.settimeout(0.05)
        began = monotonic()
        while monotonic() - began < 10:  # a byte now and then makes no difference
            try:
                connection.sendall(b"G")
                if not connection.recv(65536):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    pytest.fail("it is still open")


def test_the_oldest_makes_room(port: LimitedServer) -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        open_ones = [stack.enter_context(connect(port)) for _ in range(4 * MOST)]
        host, number = port.server_address[:2]
        assert httpx.get(f"http://{host!s}:{number}/metrics", timeout=10).status_code == 200
        until(lambda: threading.active_count() - before <= MOST)
        assert ended(open_ones[0]) == b""
