"""Headers of every response of an app, whatever answers: handlers, errors, streams, and the middleware around them."""

from typing import Any

from litestar.types import ASGIApp, Receive, Send

#: The key in a request's scope of headers that its response is to have besides: a dict, which all copies share.
ADDED = "tjra.headers"
#: Where a response says nothing else. Nothing but our own files is loaded, no other page may frame ours, none is told
#: where a visitor comes from, and none may read or embed what is here.
SECURE = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SECURE = [(name.lower().encode(), value.encode()) for name, value in SECURE.items()]


class ResponseHeaders:
    """ASGI middleware, the outermost: adds SECURE, and what is ADDED."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        added: dict[bytes, bytes] = {}
        scope[ADDED] = added

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = list(message["headers"])
                names = {name.lower() for name, _ in given}
                given += [header for header in _SECURE if header[0] not in names]
                message["headers"] = given + list(added.items())
            await send(message)

        await self.app(scope, receive, send_with_headers)


def add_header(scope: Any, name: str, value: str) -> None:
    """Add a header to the response of a request, also if it will be an error; in place of one added before."""
    scope.get(ADDED, {})[name.lower().encode()] = value.encode()
