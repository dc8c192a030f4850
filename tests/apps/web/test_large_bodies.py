"""Bodies that are still arriving take so much memory together and no more; small ones always come through."""

from contextlib import ExitStack
from typing import Any

import pytest

from apps.web.problems import Refusal
from apps.web.request_body import SMALL, Arriving, read_body
from tests.servers.limited import Limited, ended, limited
from tests.servers.servers import until

SIZE = 4 * SMALL
START = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"


def app_of(arriving: Arriving) -> Any:
    """Answers with the size of the body, or with the status of the refusal."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await read_body(scope, receive, limit=2 * SIZE, timeout=20, arriving=arriving)
            status, told = 200, b"%d" % len(body)
        except Refusal as refusal:
            status, told = refusal.problem.status, refusal.problem.detail.encode()
        headers = [(b"content-length", b"%d" % len(told))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": told})

    return app


def exchange(server: Limited, size: int) -> bytes:
    """The answer to a body that is sent in two parts."""
    with server.connect() as connection:
        connection.sendall(START % size)
        for part in (size // 2, size - size // 2):
            connection.sendall(b"x" * part)
        return ended(connection)


@pytest.mark.parametrize("leaves", [True, False])
def test_slow_bodies_have_a_limit_together(leaves: bool) -> None:
    arriving = Arriving(3 * SIZE)
    with limited(app_of(arriving)) as server, ExitStack() as stack:
        slow = []
        for nth in range(3):
            slow.append(stack.enter_context(server.connect()))
            slow[-1].sendall(START % (SIZE + 1) + b"x" * SIZE)
            until(lambda: arriving.held == (nth + 1) * SIZE)  # noqa: B023 (in this round)
        refused = exchange(server, SIZE + 1)
        assert not refused or refused.startswith(b"HTTP/1.1 503 ")  # it may be reset while it sends
        assert exchange(server, SMALL).endswith(b"\r\n\r\n%d" % SMALL)
        for connection in slow:
            if leaves:
                connection.close()
            else:
                connection.sendall(b"x")
                assert ended(connection).endswith(b"\r\n\r\n%d" % (SIZE + 1))
        until(lambda: arriving.held == 0)
        assert exchange(server, SIZE + 1).endswith(b"\r\n\r\n%d" % (SIZE + 1))
