"""An app on a real socket in a process of its own, as `tjra up` runs it: `with serve("ingestion") as app: ...`."""

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from apps.up.processes.child_process import ChildProcess
from tests.servers.servers import eventually

MIB = 1024 * 1024


class Addressed:
    """An app in the process of the tests, whose clients come from the address in their header x-address, if any."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if address := dict(scope.get("headers", ())).get(b"x-address"):
            scope["client"] = address.decode(), 50_000
        await self.app(scope, receive, send)


class Served:
    """A running app."""

    def __init__(self, child: ChildProcess, address: tuple[str, int]) -> None:
        self.child = child
        self.address = address
        self.url = f"http://{address[0]}:{address[1]}"

    @contextmanager
    def takes_at_most(self, size: int) -> Iterator[None]:
        """AssertionError where it has ever so many more bytes in memory than at the start."""
        assert self.child.process
        Path(f"/proc/{self.child.process.pid}/clear_refs").write_text("5")  # the most so far is forgotten: proc(5)
        before = self._memory("VmRSS")
        yield
        assert self._memory("VmHWM") - before < size

    def log(self) -> str:
        assert self.child.log
        return self.child.log.read_text(errors="replace")

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=30)

    def exchange(self, request: bytes) -> bytes:
        """What it answers to these bytes, until it closes the connection."""
        with self.connect() as connection:
            connection.sendall(request)
            return rest_of(connection)

    def _memory(self, name: str) -> int:
        assert self.child.process
        found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{self.child.process.pid}/status").read_text())
        assert found
        return int(found[1]) * 1024


def rest_of(connection: socket.socket) -> bytes:
    """All that still comes, until the other side closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


@contextmanager
def serve(name: str, folder: Path, *, body_timeout: int = 30, **environment: str) -> Iterator[Served]:
    """An app for as long as the context lasts, with these settings; it writes its log to `folder`."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        descriptor = listening.fileno()
        command = [sys.executable, "-m", "apps.up.serve", name, str(descriptor)]
        child = ChildProcess(
            name,
            command,
            # As `tjra up` tells it where it is.
            environment={
                **os.environ,
                f"{name.upper()}_PORT": str(listening.getsockname()[1]),
                "BODY_TIMEOUT_SECONDS": str(body_timeout),
                **environment,
            },
            grace=15,
            keep=[descriptor],
            log=folder / f"{name}.log",
        )
        child.start()
        served = Served(child, listening.getsockname())
        try:
            eventually(lambda: httpx.get(f"{served.url}/health").raise_for_status())
            yield served
        finally:
            child.stop()
