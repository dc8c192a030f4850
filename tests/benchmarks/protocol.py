"""What the limits of connections cost a request: our HTTP protocol in turns with uvicorn's, without sockets.

`python -m tests.benchmarks.protocol --rounds 30`: the processor's time of POST /event by a bare ASGI app.
"""

import asyncio
import time
from statistics import median
from typing import Any

import click
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from apps.server.protocol import LimitedProtocol
from tests.benchmarks.bare import app

CONNECTIONS, EACH = 64, 100
BODY = b'{"site_id": "shop", "event_type": "page_view", "path": "/products/lamp", "user_id": "customer-17"}'
REQUEST = (
    b"POST /event HTTP/1.1\r\nHost: events.shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0)\r\n"
    b"Accept: */*\r\nAccept-Encoding: gzip, deflate, br\r\nContent-Type: application/json\r\n"
    b"Origin: https://shop.example\r\nReferer: https://shop.example/products/lamp\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


class Nowhere(asyncio.Transport):
    """A transport that drops what is written."""

    def write(self, data: Any) -> None:
        """Drop it."""

    def is_closing(self) -> bool:
        return False


async def microseconds(protocol: type[HttpToolsProtocol]) -> float:
    """Of the processor, for a request."""
    config = uvicorn.Config(app, log_config=None)
    config.load()
    server = ServerState()
    connections = [protocol(config, server, {}) for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.connection_made(Nowhere())
    before = time.process_time()
    for _ in range(EACH):
        for connection in connections:
            connection.data_received(REQUEST)
        for _ in range(3):
            await asyncio.sleep(0)
        if not all(connection.cycle.response_complete for connection in connections):
            raise RuntimeError("a request was not answered")
    return (time.process_time() - before) / CONNECTIONS / EACH * 1e6


@click.command(help=__doc__)
@click.option("--rounds", default=30, show_default=True)
def main(rounds: int) -> None:
    """Measure both in turns and print their medians."""
    sides: dict[type[HttpToolsProtocol], list[float]] = {HttpToolsProtocol: [], LimitedProtocol: []}
    for nth in range(rounds):
        for protocol in sorted(sides, key=lambda side: side.__name__, reverse=bool(nth % 2)):
            sides[protocol].append(asyncio.run(microseconds(protocol)))
    for protocol, found in sides.items():
        print(f"{protocol.__name__}: {median(found):.1f} µs a request, at best {min(found):.1f}")


if __name__ == "__main__":
    main()
