"""Answers that are sent while they are made."""

import asyncio
from collections.abc import AsyncGenerator


class Parts:
    """The parts of an answer that a generator makes, each in a task of its own.

    Litestar cancels what a stream waits for when the client goes away, and again with each turn of the event loop. A
    query of psycopg's has to be cancelled once: then it also asks the server to stop, and the connection can be kept.
    """

    def __init__(self, generator: AsyncGenerator[bytes]) -> None:
        self.generator = generator
        self.step: asyncio.Task[bytes | None] | None = None

    def __aiter__(self) -> "Parts":
        return self

    async def __anext__(self) -> bytes:
        self.step = asyncio.create_task(self._next())
        part = await asyncio.shield(self.step)
        if part is None:
            raise StopAsyncIteration
        return part

    async def close(self) -> None:
        """End the generator, wherever it is."""
        if self.step:
            self.step.cancel()
            await asyncio.wait([self.step])
        await self.generator.aclose()

    async def _next(self) -> bytes | None:
        return await anext(self.generator, None)
