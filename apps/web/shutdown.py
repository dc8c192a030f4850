"""Run a callback on SIGTERM or SIGINT, before the server waits for open responses to end and then ends the lifespan."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_stop_signal(callback: Callable[[], object]) -> Iterator[None]:
    """Call `callback` in the event loop on SIGINT and SIGTERM, in addition to the server's own handler.

    Signals reach the main thread only: in another thread, as in tests, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    servers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        if callable(server := servers[signal.Signals(number)]):
            server(number, frame)

    # If the server has no handler, the signal ends the process anyway.
    ours = [number for number, server in servers.items() if callable(server)]
    for number in ours:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, servers[number])
