"""The HTTP server of a worker's port: few connections at once, each for a short time, with small heads."""

import logging
import socket
from collections import OrderedDict
from contextlib import suppress
from http import HTTPStatus
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from socketserver import ThreadingTCPServer
from threading import Lock
from time import monotonic
from typing import Any, cast

logger = logging.getLogger(__name__)

#: Connections at once, each with a thread of its own; a new one ends the oldest if there are as many.
MOST = 32
#: Seconds that a connection may take in all: it has one request.
SECONDS = 10.0
#: Bytes of the head of a request.
HEAD_BYTES = 16 * 1024


class LimitedServer(ThreadingTCPServer):
    """Handles each request on a thread of its own."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = MOST
    seconds = SECONDS

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        #: Until when each connection may take, the oldest first.
        self.until: OrderedDict[Any, float] = OrderedDict()
        self.lock = Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a connection."""
        with self.lock:
            if len(self.until) >= MOST:
                oldest, _ = self.until.popitem(last=False)
                _cut(oldest)
            self.until[request] = monotonic() + self.seconds
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End it."""
        with self.lock:
            self.until.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cut off those that have taken too long. The server calls it twice a second."""
        super().service_actions()
        now = monotonic()
        with self.lock:
            while self.until and next(iter(self.until.values())) <= now:
                late, _ = self.until.popitem(last=False)
                _cut(late)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say little of clients that went away or were cut off."""
        logger.debug("a request from %s failed", client_address, exc_info=True)


def _cut(connection: socket.socket) -> None:
    """End what the connection's thread waits for; the thread closes it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class LimitedHandler(BaseHTTPRequestHandler):
    """One request, whose head is limited."""

    def setup(self) -> None:
        """Count what is read: http.server would take 100 headers of 64 KiB."""
        super().setup()
        self.rfile = cast(Any, Head(self.rfile))

    def handle(self) -> None:
        """Answer it."""
        try:
            super().handle()
        except LineTooLong:  # the first line: http.server answers where it is a header
            self.requestline = self.request_version = self.command = ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)


class Head:
    """What a client sends, as far as a head may go."""

    def __init__(self, file: BufferedIOBase) -> None:
        self.file = file
        self.left = HEAD_BYTES

    def readline(self, size: int) -> bytes:
        """A line. Raises LineTooLong."""
        line = self.file.readline(min(size, self.left + 1))
        self.left -= len(line)
        if self.left < 0:
            raise LineTooLong("head")
        return line

    def close(self) -> None:
        """Close what it reads."""
        self.file.close()
