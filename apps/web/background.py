"""Background tasks that run as long as an app runs."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

#: Seconds after which a task that is still running is cancelled again.
AGAIN_AFTER = 1.0


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None], *, again_after: float = AGAIN_AFTER) -> AsyncIterator[None]:
    """Run a coroutine until the end of the context; then cancel it and wait for its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        # Before Python 3.12 `asyncio.wait_for`, which the clients of both servers use, may lose a cancellation
        # (bpo-37658): an endless task would then keep running, and the app would never end.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=again_after)
