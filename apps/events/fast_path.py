"""The fast path of POST /event: it bypasses Litestar, whose pipeline costs several times as much as the rest.

Measured by tests/benchmarks/accept.py, against a bare ASGI app.
"""

from http import HTTPStatus
from time import perf_counter
from typing import Any

import msgspec
from litestar.types import ASGIApp, Receive, Send

from apps.events.cors import Origins
from apps.events.endpoints import MESSAGE_ID, accept_event
from apps.events.resources import EventResources
from apps.monitoring.metrics import Requests
from apps.web.problems import MEDIA_TYPE, refusal_for
from apps.web.request_path import own_path

JSON = [(b"content-type", b"application/json")]
MESSAGE_ID_NAME = MESSAGE_ID.lower().encode()


class FastPath:
    """ASGI middleware that answers POST /event itself and passes all other requests to Litestar."""

    def __init__(self, litestar: ASGIApp, events: EventResources, requests: Requests, origins: Origins) -> None:
        self.litestar = litestar
        self.events = events
        self.requests = requests
        self.origins = origins

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or own_path(scope) != "/event":
            await self.litestar(scope, receive, send)
            return
        arrived = perf_counter()
        status: int = HTTPStatus.ACCEPTED
        headers = JSON
        try:
            body, message_id = await accept_event(self.events, scope, receive)
            headers = [*JSON, (MESSAGE_ID_NAME, message_id.encode())]
        except Exception as error:
            refusal = refusal_for(error)
            status = refusal.problem.status
            headers = [(b"content-type", MEDIA_TYPE.encode())]
            headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
            body = msgspec.json.encode(refusal.problem)
        start: Any = {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, *self.origins.headers(scope), (b"content-length", b"%d" % len(body))],
        }
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self.requests.count("POST", "/event", status, since=arrived)
