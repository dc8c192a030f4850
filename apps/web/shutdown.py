"""Hearing at once that the process should stop: the server ends the lifespan only after all answers have ended."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_stop_signal(tell: Callable[[], object]) -> Iterator[None]:
    """Have `tell` called in the event loop on SIGINT and SIGTERM, beside what the server does on them.

    Signals reach the main thread only: in another one, as in tests, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    servers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def heard(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(tell)
        if callable(server := servers[signal.Signals(number)]):
            server(number, frame)

    # Where the server has none, the signal ends the process by itself.
    ours = [number for number, server in servers.items() if callable(server)]
    for number in ours:
        signal.signal(number, heard)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, servers[number])
