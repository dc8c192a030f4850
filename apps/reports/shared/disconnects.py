"""Requests that end when the client hangs up, or when they have taken too long."""

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ASGIApp, Receive, Send

from apps.web.problems import DATABASE_UNAVAILABLE, MEDIA_TYPE, Refusal, problem_response, refuse, unavailable

#: The status that is counted for a client that hung up, as nginx does; it is never sent.
HUNG_UP = 499
EMPTY = {"type": "http.request", "body": b"", "more_body": False}


def too_slow(seconds: float) -> Refusal:
    """The Refusal (504) of a report that was ended."""
    return refuse(
        HTTPStatus.GATEWAY_TIMEOUT,
        f"the report took longer than {seconds:g} s and was ended: ask for a shorter range, or for what rollups can "
        "answer, or raise REPORT_TIMEOUT_SECONDS",
    )


#: How OpenAPI documents that a report could not be had.
UNANSWERED: dict[int, ResponseSpec] = {
    503: problem_response(
        "The database is unavailable, or as many reports that take long are running as may at once; `detail` says "
        "which, and `Retry-After` when to try again.",
        unavailable(DATABASE_UNAVAILABLE),
    ),
    504: problem_response("It took longer than `REPORT_TIMEOUT_SECONDS`, and was ended.", too_slow(60)),
}


class Attended:
    """An ASGI app that cancels the one inside, and so its query in PostgreSQL, once no client waits for it.

    That holds for GET and HEAD until the response begins: what writes goes on, and streamed responses end
    themselves. Bodies of such requests mean nothing (RFC 9110) and are dropped, so that the end behind them is seen.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        hung_up = asyncio.Event()
        started = False
        bodies = [EMPTY]

        async def give() -> Any:
            if bodies:
                return bodies.pop()
            await hung_up.wait()
            return {"type": "http.disconnect"}

        async def note_start(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        def end() -> None:
            if not started and not work.done():
                work.cancel()  # once: then psycopg asks the server to stop, and keeps the connection

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            hung_up.set()
            timer.cancel()
            end()

        work = asyncio.ensure_future(self.app(scope, give, note_start))
        watching = asyncio.ensure_future(watch())
        timer = asyncio.get_running_loop().call_later(self.seconds, end)
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            work.cancel()
            raise
        finally:
            timer.cancel()
            watching.cancel()
        if not work.cancelled() or started:
            work.result()  # or what was raised
        elif hung_up.is_set():
            await send({"type": "http.response.start", "status": HUNG_UP, "headers": []})
        else:
            await _refuse(too_slow(self.seconds), send)


async def _refuse(refusal: Refusal, send: Send) -> None:
    body = msgspec.json.encode(refusal.problem)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": refusal.problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
