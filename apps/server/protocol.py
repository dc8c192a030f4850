"""HTTP as uvicorn speaks it with httptools, with limits: on the size of heads, and on how long a client may take.

They hold before any app sees a request, and without a proxy in front. A request that arrives as it should costs no more
than without them: its bytes are counted once, and uvicorn's timer for each response is replaced by one for all
connections (measured by tests/benchmarks/protocol.py).
"""

import asyncio
from http import HTTPStatus
from math import inf
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from apps.server.connections import connections_of
from apps.server.layers import is_forwarded, without_layers
from apps.server.refusals import problem

#: Bytes of the head of a request: its first line and headers; and of what belongs to no body between two of its parts.
HEAD_BYTES = 32 * 1024
#: Headers of a request.
MOST_HEADERS = 100


class Trailers(list[tuple[bytes, bytes]]):
    """Where headers behind a body go: nowhere. The app works with the request already."""

    def append(self, trailer: tuple[bytes, bytes]) -> None:
        """Drop it."""


NO_TRAILERS = Trailers()


class HeadTooLarge(Exception):
    """Ends the parsing of a head."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    #: Seconds that a client may take to begin a request on a new connection, and then for its head.
    head_seconds = 15.0
    #: Seconds for the rest of a body after its response: nobody reads it.
    rest_seconds = 30.0
    #: Seconds in which a client that takes nothing of what it is sent is given up: longer than an export waits.
    stall_seconds = 90.0
    #: Seconds for a refused client to read why, and for a closed connection to send what is left.
    closing_seconds = 5.0
    #: Seconds between two looks at the times of all connections.
    check_seconds = 1.0
    #: None: as many as open files allow.
    most_connections: int | None = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.app_of_forwarded, self.app_of_others = self.app, without_layers(self.app)
        self.others = connections_of(
            server_state,
            self.loop,
            most=self.most_connections,
            interval=self.check_seconds,
            closing=self.stall_seconds,
        )
        self.deadline = self.stalled = inf
        #: Bytes since the last event of the parser: of an unfinished head, say.
        self.unparsed = 0
        self.head_begun = False
        self.in_body = False
        #: Whether the client was refused: what it still sends is dropped.
        self.refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.deadline = self.loop.time() + self.head_seconds
        if not self.others.admit(self):
            full = "too many connections are open: try again"
            transport.write(problem(HTTPStatus.SERVICE_UNAVAILABLE, full, self.server_state.default_headers))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.others.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if len(data) <= HEAD_BYTES:
            self._feed(data)
            return
        # In pieces, so that no more than two of them is ever held of what is not a body.
        whole = memoryview(data)
        for start in range(0, len(data), HEAD_BYTES):
            if self.refused or self.transport.is_closing():
                return
            self._feed(whole[start : start + HEAD_BYTES])

    def _feed(self, data: bytes | memoryview) -> None:
        if self.refused:
            return
        self.unparsed += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing is upgraded. The parser takes no more, so neither does the connection.
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, HeadTooLarge):
                self._refuse_head()
            else:
                self._refuse(HTTPStatus.BAD_REQUEST, "this is no valid HTTP/1.1 request")
            return
        if self.unparsed:
            self._note_unfinished()

    def _note_unfinished(self) -> None:
        """After bytes that completed nothing: a head, what is behind a body, or the extension of a chunk."""
        if self.unparsed > HEAD_BYTES or (not self.in_body and self._headers() > MOST_HEADERS):
            self._refuse_head()
        elif not self.in_body and not self.head_begun:
            self.head_begun = True
            if not self._is_at_work():
                self.deadline = self.loop.time() + self.head_seconds

    def _headers(self) -> int:
        return len(self.headers or ())

    def _is_at_work(self) -> bool:
        """Whether an app works on a request of this connection."""
        return self.cycle is not None and not self.cycle.response_complete

    def on_headers_complete(self) -> None:
        if (self.unparsed > HEAD_BYTES and self._head_size() > HEAD_BYTES) or len(self.headers) > MOST_HEADERS:
            raise HeadTooLarge
        self.unparsed = 0
        self.head_begun = False
        self.in_body = True
        self.deadline = inf
        self.others.waiting.pop(self, None)
        self.app = self.app_of_forwarded if is_forwarded(self.headers) else self.app_of_others
        super().on_headers_complete()
        self.headers = NO_TRAILERS

    def _head_size(self) -> int:
        """About that of the head which is complete."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _should_upgrade(self) -> bool:
        return False  # neither app speaks anything else

    def on_body(self, body: bytes) -> None:
        self.unparsed = 0
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        self.unparsed = 0
        self.in_body = False
        cycle = self.cycle
        if cycle.response_complete:
            self._wait(self.loop.time() + self.timeout_keep_alive)
        else:
            cycle.more_body = False
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        seconds = float(self.timeout_keep_alive)
        if self.in_body:
            seconds = self.rest_seconds
        elif self.head_begun:
            seconds = self.head_seconds
        self._wait(self.loop.time() + seconds)

    def _wait(self, deadline: float) -> None:
        """Wait until then for the client."""
        self.deadline = deadline
        self.others.waiting[self] = None
        self.others.waiting.move_to_end(self)

    def pause_writing(self) -> None:
        self.stalled = self.loop.time() + self.stall_seconds
        super().pause_writing()

    def resume_writing(self) -> None:
        self.stalled = inf
        super().resume_writing()

    def expire(self, now: float) -> None:
        """End the connection: its client has taken too long."""
        if self.refused or self.stalled <= now or self.transport.is_closing():
            self.transport.abort()
        elif self.head_begun:
            seconds = f"{self.head_seconds:g}"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"the head of the request did not arrive within {seconds} s")
        else:
            self.transport.close()
            self.deadline = now + self.closing_seconds

    def _refuse_head(self) -> None:
        if not self.in_body and len(self.url or b"") > HEAD_BYTES // 2:
            status, what = HTTPStatus.REQUEST_URI_TOO_LONG, "the address with all headers"
        else:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            what = "what comes with a body" if self.in_body else "the headers with the address"
        self._refuse(status, f"{what} may have {HEAD_BYTES:,} bytes, and there may be {MOST_HEADERS} headers")

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Respond, if nothing else is being responded, and take no more from the client.

        It may be sending still: a connection that is closed then is reset, and the response may be lost. So the
        connection is closed in one direction, and what comes is dropped for a moment.
        """
        self.refused = True
        self.pipeline.clear()
        cycle = self.cycle
        if self._is_at_work():
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started or not self.in_body:  # a response now would belong to an earlier request
                self.transport.close()
                return
        self.transport.write(problem(status, detail, self.server_state.default_headers))
        if self.transport.can_write_eof():  # not with TLS
            self.transport.write_eof()
        self.flow.resume_reading()
        self._wait(self.loop.time() + self.closing_seconds)
