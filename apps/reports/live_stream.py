"""GET /live/stream: the report of GET /live, sent again and again as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import inf
from time import monotonic
from typing import Annotated, Any
from weakref import WeakValueDictionary

import msgspec
from litestar import Request
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Meta

from apps.access.guard import is_still_allowed
from apps.access.limits import caller, over
from apps.reporting_resources import ReportingResources
from apps.reports.live import BAD_MINUTES, EXAMPLE, LiveQuery, read_live
from apps.reports.shared.disconnects import too_slow
from apps.reports.shared.endpoint import endpoint
from apps.reports.shared.visible import read_report_query
from apps.web.problems import Refusal, problem_response, refusal_for, unavailable
from apps.web.shutdown import on_stop_signal

#: Streams of this process at once.
MOST = 200
TOO_MANY = f"{MOST} streams are open already"
#: Of these, those of one key with its logins, of one share link, or, with AUTH=off, of one address.
EACH = 20
#: The key in a request's scope of whom its stream is counted for.
COUNTED = "tjra.stream"
#: Seconds after which a comment is sent where there is nothing else: proxies end connections on which nothing comes.
HEARTBEAT = 15
STILL_HERE = "still here"
#: Seconds between two looks whether the key is still valid. With the age of a verdict, a revoked one ends its streams
#: within 15 seconds.
RECHECK = 5.0
#: Milliseconds after which a browser connects again.
RECONNECT = 3_000


class LiveStreamQuery(LiveQuery, kw_only=True):
    """The parameters of GET /live/stream."""

    every: Annotated[int, Meta(ge=1, le=60, description="Seconds between two messages, from 1 to 60.")] = 2
    seconds: (
        Annotated[
            int,
            Meta(ge=1, le=3600, description="Seconds after which the stream ends, from 1 to 3,600; left out: never."),
        ]
        | None
    ) = None


class Feed:
    """The messages that all clients share who request the same: whoever comes first when one is due has it read."""

    def __init__(self, resources: ReportingResources, query: LiveStreamQuery) -> None:
        self.resources = resources
        self.query = query
        self.reading: asyncio.Task[None] | None = None
        self.message = ServerSentEventMessage()
        self.due = 0.0

    def refresh(self) -> asyncio.Task[None] | None:
        """What reads the numbers, if they are due or are being read; it sets `message` and `due`, and ends by itself.

        Others wait for it as well, so nobody cancels it.
        """
        if self.reading is None and monotonic() >= self.due:
            self.reading = asyncio.create_task(self._read())
        return self.reading

    async def _read(self) -> None:
        seconds = self.resources.settings.report_timeout_seconds
        try:
            async with asyncio.timeout(seconds) as limit:  # cancels once: then psycopg keeps the connection
                report = await read_live(self.resources, self.query)
            self.message = ServerSentEventMessage(msgspec.json.encode(report))
        except Exception as error:  # the streams go on: the database may be back the next time
            refusal = too_slow(seconds) if limit.expired() else refusal_for(error)
            self.message = ServerSentEventMessage(msgspec.json.encode(refusal.problem), event="problem")
        self.due = monotonic() + self.query.every
        self.reading = None


class LiveStreams:
    """The streams of one app."""

    def __init__(
        self, resources: ReportingResources, *, heartbeat: float = HEARTBEAT, recheck: float = RECHECK
    ) -> None:
        self.resources = resources
        self.heartbeat = heartbeat
        self.recheck = recheck
        self.open: Counter[str] = Counter()
        self.stopping = asyncio.Event()
        #: A feed lives as long as somebody listens, or it is being read.
        self.feeds: WeakValueDictionary[bytes, Feed] = WeakValueDictionary()

    def count(self, scope: Any) -> None:
        """Count the stream of this request, which the guard has let through. Raises Refusal (429, 503)."""
        who = caller(scope)
        if self.open[who] >= EACH:
            raise over_streams()
        if self.open.total() >= MOST:
            raise unavailable(TOO_MANY, retry_after=HEARTBEAT)
        self.open[who] += 1
        scope[COUNTED] = who

    def uncount(self, scope: Any) -> None:
        """Count the stream of this request no more, if it was."""
        if who := scope.pop(COUNTED, None):
            self.open[who] -= 1
            self.open += Counter()  # without those that have none any more

    def feed(self, query: LiveStreamQuery) -> Feed:
        """The feed of this query, whenever its streams end."""
        shared = msgspec.structs.replace(query, seconds=None)
        return self.feeds.setdefault(msgspec.json.encode(shared), Feed(self.resources, shared))

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[None]:
        """End all streams once the app should stop: the server waits for them."""
        with on_stop_signal(self.stopping.set):
            yield

    async def messages(
        self, feed: Feed, *, allowed: Callable[[], Awaitable[bool]], seconds: int | None = None
    ) -> AsyncIterator[ServerSentEventMessage]:
        """What one stream sends, as long as its client is allowed to read it."""
        end = monotonic() + seconds if seconds else inf
        yield ServerSentEventMessage(data=None, retry=RECONNECT)
        while not self.stopping.is_set() and monotonic() < end:
            reading = feed.refresh()
            quiet_since = monotonic()
            while reading and not reading.done():
                if await self._ends_within(min(self.heartbeat, self.recheck), allowed, reading):
                    return
                if not reading.done() and monotonic() - quiet_since >= self.heartbeat:
                    yield ServerSentEventMessage(data=None, comment=STILL_HERE)
                    quiet_since = monotonic()
            yield feed.message
            quiet_since = monotonic()
            while (left := min(feed.due, end) - monotonic()) > 0:
                if await self._ends_within(min(left, self.heartbeat, self.recheck), allowed):
                    return
                if left > self.heartbeat and monotonic() - quiet_since >= self.heartbeat:
                    yield ServerSentEventMessage(data=None, comment=STILL_HERE)
                    quiet_since = monotonic()

    async def _ends_within(
        self, seconds: float, allowed: Callable[[], Awaitable[bool]], reading: asyncio.Task[None] | None = None
    ) -> bool:
        """Whether the stream should end, after these seconds or as soon as it is read."""
        return await self._stops_within(seconds, reading) or not await allowed()

    async def _stops_within(self, seconds: float, reading: asyncio.Task[None] | None = None) -> bool:
        """Whether the app should stop, after these seconds or as soon as it is read."""
        stopping = asyncio.ensure_future(self.stopping.wait())
        try:
            waiting = {stopping, reading} if reading else {stopping}
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return self.stopping.is_set()
        finally:
            stopping.cancel()


class Counted(ASGIMiddleware):
    """Counts each stream until its connection is done with; its handler counts it first, behind the guard."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let it run, and count it no more."""
        streams: LiveStreams = scope["litestar_app"].state.streams
        try:
            await next_app(scope, receive, send)
        finally:
            streams.uncount(scope)


def over_streams() -> Refusal:
    """The Refusal (429) of a key that has as many streams as it may."""
    return over(HEARTBEAT, f"{EACH} streams of this key, login, link or address are open already, as many as may be")


@endpoint(
    "/live/stream",
    query=LiveStreamQuery,
    summary="The last minutes, as a stream",
    examples={"seconds": 5},
    middleware=[Counted()],
    ok=ResponseSpec(
        data_container=str,
        description="Server-sent events, without end unless `seconds` says when.",
        media_type="text/event-stream",
        generate_examples=False,
        examples=[Example(value=f"data: {msgspec.json.encode(EXAMPLE).decode()}\n\n")],
    ),
    bad=BAD_MINUTES,
    others={
        429: problem_response(
            f"The key has {EACH} streams open, which all of its logins share, or asks for more reports than "
            "`REPORTS_PER_MINUTE`; `Retry-After` says when to try again.",
            over_streams(),
        ),
        503: problem_response("Too many streams are open.", unavailable(TOO_MANY, retry_after=HEARTBEAT)),
    },
)
async def get_live_stream(request: Request[Any, Any, Any]) -> ServerSentEvent:
    """The report of GET /live every few seconds: `curl -N`, or in a browser `new EventSource(...)`.

    Each message is the report as JSON. If there is none, as while the database is unavailable or takes longer than
    `REPORT_TIMEOUT_SECONDS`, an event `problem` says why instead, and the stream goes on. It costs the same for any
    number of clients with the same parameters.

    With `seconds` it ends by itself, for clients that show a response once it is complete; an `EventSource` comes back.
    """
    query = read_report_query(request, LiveStreamQuery)
    query.filters()  # a 400 rather than a stream of problems
    streams: LiveStreams = request.app.state.streams
    streams.count(request.scope)

    async def allowed() -> bool:
        return await is_still_allowed(request)

    return ServerSentEvent(streams.messages(streams.feed(query), allowed=allowed, seconds=query.seconds))
