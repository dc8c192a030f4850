"""Long work of one request in slices, between which other requests get a turn of the event loop."""

import asyncio
import time

#: Seconds of work after which others get a turn.
LONGEST = 0.01


class Slices:
    """The work of one request: it calls `pause()` after each part."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    async def pause(self) -> None:
        """Let others have a turn, if this has worked for so long."""
        if time.monotonic() - self.began > LONGEST:
            await asyncio.sleep(0)
            self.began = time.monotonic()
