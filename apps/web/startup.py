"""Start-up check: an app exits at once if a server rejects its settings, because waiting would not help."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar.types import ASGIApp, Receive, Send

#: Returns why a server rejects our settings; None if it accepts them or is not up yet. It may take seconds.
Refusal = Callable[[], str | None]


class CheckedStart:
    """ASGI middleware that runs these checks before the inner app starts; if one fails, the inner app never starts."""

    def __init__(self, app: ASGIApp, *refusals: Refusal) -> None:
        self.app = app
        self.refusals = refusals

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            results = await asyncio.gather(*map(asyncio.to_thread, self.refusals))
            if reasons := [reason for reason in results if reason]:
                await receive()
                failed: Any = {"type": "lifespan.startup.failed", "message": "; ".join(reasons)}
                await send(failed)
                return
        await self.app(scope, receive, send)
