"""A limit of time for each of very many requests: `await with_deadline(receive_all(), 30)`.

asyncio.timeout sets and removes a timer for each, which takes several microseconds, a tenth of all that POST /event
does. Here one timer a loop looks through what is under way twice a second.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

Result = TypeVar("Result")

#: Seconds between two looks: by so much a limit may be exceeded.
INTERVAL = 0.5


class Watch:
    """What is under way in one loop: the tasks, and until when each has time; None: its time is over."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.until: dict[asyncio.Task[Any], float | None] = {}
        self.timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        now = self.loop.time()
        for task, until in list(self.until.items()):
            if until is not None and until <= now:
                self.until[task] = None
                task.cancel()
        self.timer = self.loop.call_later(INTERVAL, self.look) if self.until else None


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


async def with_deadline(work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    """What this coroutine returns; TimeoutError where it takes longer, give or take INTERVAL. Not within another."""
    loop = asyncio.get_running_loop()
    watch = _watches.get(loop) or _watches.setdefault(loop, Watch(loop))
    task = cast("asyncio.Task[Any]", asyncio.current_task(loop))  # whoever awaits is one
    watch.until[task] = loop.time() + seconds
    if watch.timer is None:
        watch.timer = loop.call_later(INTERVAL, watch.look)
    try:
        return await work
    except asyncio.CancelledError:
        # By us, and by nobody else beside?
        if watch.until[task] is None and task.uncancel() == 0:
            raise TimeoutError from None
        raise
    finally:
        del watch.until[task]
