"""Turns: how many reports that take long may run at once."""

import asyncio
from collections import deque


class Turns:
    """So many at once; the others wait, in the order in which they came."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0
        self.waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a turn if there is one at once."""
        if self.taken >= self.most:
            return False
        self.taken += 1
        return True

    async def wait(self, seconds: float) -> None:
        """Take a turn once there is one. Raises TimeoutError."""
        if self.take():
            return
        mine = asyncio.get_running_loop().create_future()
        self.waiting.append(mine)
        try:
            async with asyncio.timeout(seconds):
                await mine
        except BaseException:
            if mine.done() and not mine.cancelled():  # it was given a turn, too late
                self.give_back()
            else:
                self.waiting.remove(mine)
            raise

    def give_back(self) -> None:
        """End a turn: the next who waits has it."""
        while self.waiting:
            following = self.waiting.popleft()
            if not following.done():
                following.set_result(None)
                return
        self.taken -= 1


class Turn:
    """One report's turn, taken where it finds that it needs one: `with Turn(turns) as turn`."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.taken = False

    def __enter__(self) -> "Turn":
        return self

    def __exit__(self, *_: object) -> None:
        if self.taken:
            self.turns.give_back()

    def take(self) -> bool:
        """Whether it has a turn: one from before, or one that is to be had at once."""
        self.taken = self.taken or self.turns.take()
        return self.taken

    async def wait(self, seconds: float) -> None:
        """Take a turn once there is one. Raises TimeoutError."""
        await self.turns.wait(seconds)
        self.taken = True
