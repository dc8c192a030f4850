"""The start of an app: it ends at once where a server refuses what the settings say, since waiting does not help."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar.types import ASGIApp, Receive, Send

#: Why a server refuses us, None where it does not, or is not up yet. It may take seconds.
Refusal = Callable[[], str | None]


class CheckedStart:
    """An ASGI app that asks these before the app inside is started; that one is told of nothing where one refuses."""

    def __init__(self, app: ASGIApp, *refusals: Refusal) -> None:
        self.app = app
        self.refusals = refusals

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            found = await asyncio.gather(*map(asyncio.to_thread, self.refusals))
            if reasons := [reason for reason in found if reason]:
                await receive()
                failed: Any = {"type": "lifespan.startup.failed", "message": "; ".join(reasons)}
                await send(failed)
                return
        await self.app(scope, receive, send)
