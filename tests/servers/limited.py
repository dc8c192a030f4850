"""uvicorn in a thread, with limits of connections that a test can wait for: `with limited(app, head_seconds=0.2)`."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from apps.server.connections import SERVERS, Connections
from apps.server.protocol import LimitedProtocol
from tests.servers.servers import until


class Limited:
    """A running server."""

    def __init__(self, server: uvicorn.Server, address: tuple[str, int]) -> None:
        self.server = server
        self.address = address

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=20)

    @property
    def connections(self) -> Connections:
        """The connections that it has."""
        until(lambda: self.server.server_state in SERVERS)
        return SERVERS[self.server.server_state]


@contextmanager
def limited(app: Any, **limits: Any) -> Iterator[Limited]:
    """An ASGI app for as long as the context lasts; the limits are attributes of LimitedProtocol."""
    protocol = type("Quick", (LimitedProtocol,), {"check_seconds": 0.02, **limits})
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        config = uvicorn.Config(app, http=protocol, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        config.timeout_keep_alive = limits.get("keep_alive", 60)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started)
            yield Limited(server, listening.getsockname())
        finally:
            server.should_exit = True
            thread.join()


def ended(connection: socket.socket) -> bytes:
    """All that still comes, until the other side closes or resets."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)
