"""What goes on beside the requests, for as long as an app runs."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

#: Seconds after which work that goes on is cancelled once more.
AGAIN_AFTER = 1.0


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run this until the end of the context, which waits for its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        # Before Python 3.12 `asyncio.wait_for`, with which the clients of both servers wait, may lose a cancellation
        # (bpo-37658): work that goes on for ever would then go on, and the app never end.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=AGAIN_AFTER)
