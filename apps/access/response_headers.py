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
#: Where a response says nothing else: caches keep nothing that a key or cookie may have decided about.
NO_STORE = (b"cache-control", b"no-store")
#: What a response depends on that is not `public`, besides what it says itself.
DEPENDS_ON = ("Authorization", "Cookie")


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
                message["headers"] = kept_private(given) + list(added.items())
            await send(message)

        await self.app(scope, receive, send_with_headers)


class PrivatePages:
    """ASGI middleware: what is read of an app that else takes events is kept by no cache for somebody else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return

        async def send_private(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = kept_private(list(message["headers"]))
            await send(message)

        await self.app(scope, receive, send_private)


def kept_private(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of a response, such that no cache gives it to somebody else, unless it says that it is `public`."""
    caching = _all(headers, b"cache-control")
    if "public" in caching:
        return headers
    if not caching:
        headers = [*headers, NO_STORE]
    elif not {"no-store", "private"} & set(caching):
        headers = [*headers, (b"cache-control", b"private")]
    depends_on = _all(headers, b"vary")
    if "*" in depends_on:
        return headers
    lower = {name.lower() for name in depends_on}
    depends_on += [name for name in DEPENDS_ON if name.lower() not in lower]
    rest = [header for header in headers if header[0].lower() != b"vary"]
    return [*rest, (b"vary", ", ".join(depends_on).encode())]


def _all(headers: list[tuple[bytes, bytes]], name: bytes) -> list[str]:
    """The parts of a header that is a list, of all its lines."""
    lines = [value.decode("latin-1") for given, value in headers if given.lower() == name]
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def add_header(scope: Any, name: str, value: str) -> None:
    """Add a header to the response of a request, also if it will be an error; in place of one added before."""
    scope.get(ADDED, {})[name.lower().encode()] = value.encode()
