"""CORS: which pages may send events here and read the responses, including errors.

https://fetch.spec.whatwg.org/#http-cors-protocol. The app uses no cookies, so any origin is safe to allow.
"""

from typing import Any

from litestar.types import ASGIApp, Receive, Send

from apps.web.request_path import own_path

Headers = list[tuple[bytes, bytes]]

ALLOW_ORIGIN = b"access-control-allow-origin"
EXPOSE = (b"access-control-expose-headers", b"retry-after, x-message-id")
VARY = (b"vary", b"origin")
ANY: Headers = [(ALLOW_ORIGIN, b"*"), EXPOSE]
PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST"),
    # The headers that SDKs are known to send, then "*" for all others. "*" does not cover authorization.
    (
        b"access-control-allow-headers",
        b"content-type, content-encoding, authorization, x-umami-cache, x-write-key, x-retry-count, *",
    ),
    (b"access-control-max-age", b"86400"),
]
#: What pages may read with GET: the paths that SDKs request, but no metrics.
READABLE = ("/array/", "/static/", "/sourceConfig", "/v1/projects/", "/tracker.js")


class Origins:
    """The pages that may send events."""

    def __init__(self, setting: str) -> None:
        self.any = setting == "*"
        self.allowed = {origin.strip().encode() for origin in setting.split(",")}

    def headers(self, scope: Any) -> Headers:
        """The CORS headers of the response to this request."""
        if self.any:
            return ANY
        for name, value in scope["headers"]:
            if name == b"origin" and value in self.allowed:
                return [(ALLOW_ORIGIN, value), EXPOSE, VARY]
        return [VARY]


class Cors:
    """ASGI middleware that answers preflights and adds the CORS headers to responses for pages."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_for_pages(scope):
            await self.app(scope, receive, send)
            return
        headers = self.origins.headers(scope)
        if scope["method"] == "OPTIONS":
            start: Any = {"type": "http.response.start", "status": 204, "headers": [*headers, *PREFLIGHT]}
            await send(start)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _is_for_pages(scope: Any) -> bool:
    """Whether the request is a preflight, a POST, or a GET of a path that SDKs request."""
    match scope["method"]:
        case "OPTIONS":
            return any(name == b"access-control-request-method" for name, _ in scope["headers"])
        case "GET":
            return bool(own_path(scope).startswith(READABLE))
        case method:
            return bool(method == "POST")
