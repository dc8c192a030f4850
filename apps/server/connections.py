"""The open connections of one server: how many there may be, and which of them have waited long enough."""

import asyncio
import logging
import resource
from collections import OrderedDict
from contextlib import suppress
from math import inf
from typing import Protocol
from weakref import WeakKeyDictionary

from uvicorn.server import ServerState

logger = logging.getLogger(__name__)

#: Connections of one process at once, where its limit of open files (`ulimit -n`) allows so many.
MOST = 4096
#: Open files beside them, for servers, logs and connections that are accepted at once: a quarter at least.
SHARE = 0.75
#: Seconds between two lines in the log about connections that were closed because there are too many.
QUIET = 60.0


class Connection(Protocol):
    """What a connection shows of itself. Times are those of the event loop; inf: never."""

    transport: asyncio.Transport
    #: When it has waited long enough for its client.
    deadline: float
    #: The same, for a client that does not take what it is sent.
    stalled: float

    def expire(self, now: float) -> None:
        """One of the times has come."""


class Connections:
    """The connections of one server; one timer looks at all of them, as one each would cost more than most requests."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, most: int, interval: float, closing: float) -> None:
        self.loop = loop
        self.most = most
        self.interval = interval
        self.closing = closing
        self.open: set[Connection] = set()
        #: Those that wait for a request or the rest of one, the longest first: they are closed if there are too many.
        self.waiting: OrderedDict[Connection, None] = OrderedDict()
        self.timer: asyncio.TimerHandle | None = None
        self.told = -inf

    def admit(self, connection: Connection) -> bool:
        """Take a new connection, in place of the one that has waited longest if there are too many; or refuse it."""
        full = len(self.open) >= self.most
        if full:
            self._tell()
            if not self.waiting:
                return False
            oldest, _ = self.waiting.popitem(last=False)
            oldest.transport.abort()
        self.open.add(connection)
        self.waiting[connection] = None
        if self.timer is None:
            self.timer = self.loop.call_later(self.interval, self.check)
        return True

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self.open.discard(connection)
        self.waiting.pop(connection, None)

    def check(self) -> None:
        """Tell all connections whose time has come."""
        now = self.loop.time()
        for connection in list(self.open):
            if connection.deadline <= now or connection.stalled <= now:
                connection.expire(now)
            elif connection.deadline == inf and connection.transport.is_closing():
                # It is open until its client has taken what is left, which may be never.
                connection.deadline = now + self.closing
        self.timer = self.loop.call_later(self.interval, self.check) if self.open else None

    def _tell(self) -> None:
        now = self.loop.time()
        if now - self.told > QUIET:
            self.told = now
            logger.warning(
                "%d connections are open, as many as may be: for each new one the one is closed that waits longest for "
                "a request, or else the new one gets a 503",
                len(self.open),
            )


#: The connections of each server of this process.
SERVERS: WeakKeyDictionary[ServerState, Connections] = WeakKeyDictionary()


def connections_of(
    server: ServerState, loop: asyncio.AbstractEventLoop, *, most: int | None, interval: float, closing: float
) -> Connections:
    """The connections of a server. most: None stands for as many as open files allow."""
    found = SERVERS.get(server)
    if found is None:
        most = most or most_connections()
        found = SERVERS[server] = Connections(loop, most=most, interval=interval, closing=closing)
    return found


def most_connections() -> int:
    """How many connections this process may have, so that open files are left."""
    return min(MOST, int(_open_files() * SHARE))


def most_at_once() -> int:
    """How many new connections may wait to be accepted: all are accepted before the first one is counted."""
    return max(1, (_open_files() - most_connections()) // 2)


def raise_open_files() -> None:
    """Raise the limit of open files to what MOST connections need, as far as this process may: often it is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST if hard == resource.RLIM_INFINITY else min(2 * MOST, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _open_files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2 * MOST if soft == resource.RLIM_INFINITY else soft
