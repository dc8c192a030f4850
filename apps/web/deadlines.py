"""A cheap timeout for many concurrent requests: `await with_deadline(receive_all(), 30)`.

asyncio.timeout sets and removes a timer per request, a notable part of the cost of POST /event (measured by
tests/benchmarks/accept.py). Here one timer per event loop checks all running tasks twice a second.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

Result = TypeVar("Result")

#: Seconds between two checks: a task may exceed its deadline by this much.
INTERVAL = 0.5


class Deadlines:
    """The running tasks of one event loop with their deadlines; None: the deadline has passed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float = INTERVAL) -> None:
        self.loop = loop
        self.interval = interval
        self.until: dict[asyncio.Task[Any], float | None] = {}
        self.timer: asyncio.TimerHandle | None = None

    def check(self) -> None:
        now = self.loop.time()
        for task, until in list(self.until.items()):
            if until is not None and until <= now:
                self.until[task] = None
                task.cancel()
        self.timer = self.loop.call_later(self.interval, self.check) if self.until else None


_deadlines: WeakKeyDictionary[asyncio.AbstractEventLoop, Deadlines] = WeakKeyDictionary()


async def with_deadline(work: Coroutine[Any, Any, Result], seconds: float, *, interval: float = INTERVAL) -> Result:
    """The result of the coroutine. Raises TimeoutError if it takes longer, accurate to the interval.

    That is the one which the first call of an event loop gives. Calls must not be nested.
    """
    loop = asyncio.get_running_loop()
    deadlines = _deadlines.get(loop) or _deadlines.setdefault(loop, Deadlines(loop, interval))
    task = cast("asyncio.Task[Any]", asyncio.current_task(loop))  # never None: only a task can await this
    deadlines.until[task] = loop.time() + seconds
    if deadlines.timer is None:
        deadlines.timer = loop.call_later(deadlines.interval, deadlines.check)
    try:
        return await work
    except asyncio.CancelledError:
        # A timeout only if nothing else has cancelled the task as well.
        if deadlines.until[task] is None and task.uncancel() == 0:
            raise TimeoutError from None
        raise
    finally:
        del deadlines.until[task]
