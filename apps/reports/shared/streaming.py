"""Responses that are sent while they are made."""

import asyncio
from collections.abc import AsyncGenerator


class Parts:
    """The parts of a response, as a generator makes them; each is made in a task of its own.

    Litestar cancels what a stream waits for when its client goes away, and again with each turn of the event loop. But
    a query has to be cancelled once: then psycopg also asks the server to stop, and keeps the connection.

    If a client does not take the next part for `stall_timeout` seconds, the generator is closed too, as it may hold a
    transaction that others wait for. Raises TimeoutError then, as the response must not look complete.
    """

    def __init__(self, generator: AsyncGenerator[bytes], *, stall_timeout: float) -> None:
        self.generator = generator
        self.stall_timeout = stall_timeout
        self.step: asyncio.Task[bytes | None] | None = None
        self.waiting: asyncio.Task[None] | None = None
        self.given_up = False

    def __aiter__(self) -> "Parts":
        return self

    async def __anext__(self) -> bytes:
        if self.given_up:
            raise TimeoutError(f"the client took nothing for {self.stall_timeout:g} seconds")
        if self.waiting:
            self.waiting.cancel()
        self.step = asyncio.create_task(self._next())
        part = await asyncio.shield(self.step)
        if part is None:
            raise StopAsyncIteration
        self.waiting = asyncio.create_task(self._give_up())
        return part

    async def close(self) -> None:
        """End the generator, wherever it is."""
        tasks = [task for task in (self.step, self.waiting) if task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.generator.aclose()

    async def _next(self) -> bytes | None:
        return await anext(self.generator, None)

    async def _give_up(self) -> None:
        await asyncio.sleep(self.stall_timeout)
        self.given_up = True
        await self.generator.aclose()
