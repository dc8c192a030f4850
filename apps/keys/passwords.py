"""Checking passwords one at a time, beside the event loop: each takes a part of a second of a core, on purpose.

All wait for their turn, in the order in which they came. How many there can be follows from what share links take
(PasswordTry): a right one waits, and is not sent away.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from db.access.passwords import is_password
from db.access.shares import NewShare, stored_password

Result = TypeVar("Result")


class Passwords:
    """The one turn of a process. `check` says whether what is given is a stored password."""

    def __init__(self, check: Callable[[str, str], bool] = is_password) -> None:
        self.check = check
        self.turn = asyncio.Semaphore(1)

    async def matches(self, given: str, stored: str) -> bool:
        """Whether it is the password."""
        return await self._in_turn(partial(self.check, given, stored))

    async def stored(self, new: NewShare) -> str | None:
        """What is to be stored of a share link's password."""
        return await self._in_turn(partial(stored_password, new)) if new.password else None

    async def _in_turn(self, work: Callable[[], Result]) -> Result:
        async def run() -> Result:
            async with self.turn:
                return await asyncio.to_thread(work)

        # The thread goes on if the client hangs up, and its turn lasts as long.
        return await asyncio.shield(asyncio.ensure_future(run()))
