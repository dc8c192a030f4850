"""What comes before an app starts: it exits if a server rejects its settings, and its connections get their limits."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar.types import ASGIApp, Receive, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from apps.server.connections import most_at_once, raise_open_files
from apps.server.protocol import LimitedProtocol

#: Returns why a server rejects our settings; None if it accepts them or is not up yet. It may take seconds.
Refusal = Callable[[], str | None]


class CheckedStart:
    """ASGI middleware that runs these checks before the inner app starts; if one fails, the inner app never starts.

    Waiting would not help then.
    """

    def __init__(self, app: ASGIApp, *refusals: Refusal) -> None:
        self.app = self.app_of_requests = app
        self.refusals = refusals

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            results = await asyncio.gather(*map(asyncio.to_thread, self.refusals))
            if reasons := [reason for reason in results if reason]:
                await receive()
                failed: Any = {"type": "lifespan.startup.failed", "message": "; ".join(reasons)}
                await send(failed)
                return
            limit_connections(receive)
        await self.app(scope, receive, send)


def limit_connections(receive: Receive) -> None:
    """Have uvicorn speak HTTP by LimitedProtocol, however it was started: it listens only after an app has started.

    `receive` is of the lifespan, which belongs to uvicorn and has its configuration. Another server has limits of its
    own, and so has another protocol, if `--http` chooses one.
    """
    config = getattr(getattr(receive, "__self__", None), "config", None)
    if isinstance(config, Config) and config.http_protocol_class is HttpToolsProtocol:
        raise_open_files()
        config.http_protocol_class = LimitedProtocol
        config.backlog = min(config.backlog, most_at_once())
