"""There are so many connections and no more: the oldest idle one makes room, and open files never run out."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import httpx

from apps.server.connections import most_connections
from apps.up.processes.child_process import ChildProcess
from tests.servers.limited import Limited, ended, limited
from tests.servers.servers import eventually, until
from tests.servers.serving import Served

GET = b"GET /%b HTTP/1.1\r\nhost: x\r\n\r\n"
MOST = 5
#: Of a process that tests many connections: its shell allows it so few.
OPEN_FILES = 192
WITH_FEW_FILES = (
    f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({OPEN_FILES}, {OPEN_FILES})); "
    "del sys.argv[0]; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)


class App:
    """Answers /wait when it is released, from any thread, and other paths at once."""

    def __init__(self) -> None:
        self.released = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/wait":
            await asyncio.to_thread(self.released.wait, 20)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def serving() -> Iterator[tuple[Limited, App, ExitStack]]:
    app = App()
    with ExitStack() as stack, limited(app, most_connections=MOST) as server:
        yield server, app, stack
        app.released.set()


def test_the_one_that_waits_longest_makes_room() -> None:
    with serving() as (server, app, stack):
        busy = stack.enter_context(server.connect())
        busy.sendall(GET % b"wait")
        idle = []
        for _ in range(MOST - 1):
            idle.append(stack.enter_context(server.connect()))
            idle[-1].sendall(GET % b"")
            assert idle[-1].recv(65536).endswith(b"ok")
        idle[0].sendall(GET % b"")  # it is the last one now that did anything
        assert idle[0].recv(65536).endswith(b"ok")
        for _ in range(2):
            new = stack.enter_context(server.connect())
            new.sendall(GET % b"")
            assert new.recv(65536).endswith(b"ok")
        assert [ended(connection) for connection in idle[1:3]] == [b"", b""]
        for still in (idle[0], idle[3]):
            still.sendall(GET % b"")
            assert still.recv(65536).endswith(b"ok")
        assert len(server.connections.open) == MOST
        app.released.set()
        assert busy.recv(65536).endswith(b"ok")


def test_unfinished_heads_make_room_too() -> None:
    with serving() as (server, _, stack):
        for _ in range(3 * MOST):
            stack.enter_context(server.connect()).sendall(b"GET / HTTP/1.1\r\n")
        new = stack.enter_context(server.connect())
        new.sendall(GET % b"")
        assert new.recv(65536).endswith(b"ok")


def test_if_all_are_at_work_a_new_one_is_refused_in_words() -> None:
    with serving() as (server, app, stack):
        busy = [stack.enter_context(server.connect()) for _ in range(MOST)]
        for connection in busy:
            connection.sendall(GET % b"wait")
        until(lambda: len(server.connections.open) == MOST and not server.connections.waiting)
        refused = ended(stack.enter_context(server.connect()))
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in refused
        assert b"too many connections are open" in refused
        app.released.set()
        assert all(connection.recv(65536).endswith(b"ok") for connection in busy)


def test_there_are_fewer_than_open_files() -> None:
    assert 0 < most_connections() < os.sysconf("SC_OPEN_MAX")


def test_open_files_do_not_run_out(database_url: str, unused_port: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITH_FEW_FILES, "uvicorn", "apps.ingestion:app", "--port", str(unused_port)]
    child = ChildProcess("few", command, log=tmp_path / "log", grace=15)
    child.start()
    try:
        served = Served(child, ("127.0.0.1", unused_port))
        eventually(lambda: httpx.get(f"{served.url}/health").raise_for_status())
        with ExitStack() as stack:
            for _ in range(2 * OPEN_FILES):
                stack.enter_context(served.connect())
            for _ in range(3):
                assert httpx.get(f"{served.url}/health", timeout=10).status_code == 200
            spent = processor_seconds(served)
            sleep(1)
            assert processor_seconds(served) - spent < 0.5  # it does not spin
        assert "connections are open, as many as may be" in served.log()
        assert "Too many open files" not in served.log()
    finally:
        child.stop()


def processor_seconds(served: Served) -> float:
    """What the process has taken so far."""
    assert served.child.process
    fields = Path(f"/proc/{served.child.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
