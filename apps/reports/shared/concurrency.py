"""Turns: how many reports that take long may run at once, and in which order the others wait."""

from anyio import Semaphore, WouldBlock, fail_after


class Turn:
    """One report's turn, taken where it finds that it needs one: `with Turn(turns) as turn`."""

    def __init__(self, turns: Semaphore) -> None:
        self.turns = turns
        self.taken = False

    def __enter__(self) -> "Turn":
        return self

    def __exit__(self, *_: object) -> None:
        if self.taken:
            self.turns.release()

    def take(self) -> bool:
        """Whether it has a turn: one from before, or one that is to be had at once."""
        if not self.taken:
            try:
                self.turns.acquire_nowait()
            except WouldBlock:
                return False
            self.taken = True
        return True

    async def wait(self, seconds: float) -> None:
        """Take a turn once there is one. Raises TimeoutError."""
        with fail_after(seconds):
            await self.turns.acquire()
        self.taken = True
