"""Checking passwords one at a time, beside the event loop: each takes a part of a second of a core, on purpose."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from apps.web.problems import unavailable
from db.access.passwords import is_password
from db.access.shares import NewShare, stored_password

Result = TypeVar("Result")

#: How many may wait for their turn, and when others may come again (s).
MOST_WAITING, RETRY = 8, 3


class Passwords:
    """The one turn of a process."""

    def __init__(self) -> None:
        self.turn = asyncio.Semaphore(1)
        self.waiting = 0

    async def matches(self, given: str, stored: str) -> bool:
        """Whether it is the password. Raises Refusal (503) if too many others wait."""
        return await self._in_turn(partial(is_password, given, stored))

    async def stored(self, new: NewShare) -> str | None:
        """What is to be stored of a share link's password. Raises Refusal (503) if too many others wait."""
        return await self._in_turn(partial(stored_password, new)) if new.password else None

    async def _in_turn(self, work: Callable[[], Result]) -> Result:
        if self.waiting >= MOST_WAITING:
            raise unavailable("many passwords are being checked", retry_after=RETRY)
        self.waiting += 1

        async def run() -> Result:
            try:
                async with self.turn:
                    return await asyncio.to_thread(work)
            finally:
                self.waiting -= 1

        # The thread goes on if the client hangs up, and its turn lasts as long.
        return await asyncio.shield(asyncio.ensure_future(run()))
