"""HEAD for every path that has GET, with the same status and headers and no body (RFC 9110, 9.3.2).

The inner app sees a GET, so no route can forget HEAD or answer it differently. A streamed response (an export, server
sent events) ends with its headers. `Allow` lists HEAD wherever it lists GET.
"""

from typing import Any

from litestar.types import ASGIApp, Receive, Send

#: Scope key that marks a GET which was a HEAD, for the few handlers whose GET has a side effect.
IS_HEAD = "tjra.head"


class Heads:
    """ASGI middleware that passes HEAD to the inner app as GET and drops the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_allow(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] in (204, 405):
                known: set[bytes] = _methods(scope) if scope["method"] == "OPTIONS" else set()
                message["headers"] = [_with_all(name, value, known) for name, value in message["headers"]]
            await send(message)

        if scope["method"] != "HEAD":
            await self.app(scope, receive, send_with_allow)
            return

        start: Any = None

        async def keep_start(message: Any) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message

        async def receive_until_start() -> Any:
            # A streaming response stops when its client disconnects.
            return {"type": "http.disconnect"} if start else await receive()

        # A copy: the server must still see HEAD, because it checks the length of the body.
        inner: Any = {**scope, "method": "GET", IS_HEAD: True}
        try:
            await self.app(inner, receive_until_start, keep_start)
        finally:
            if "path_template" in inner:  # for the metrics
                scope["path_template"] = inner["path_template"]
        # Respond only now, so that nothing of this request is still running when the client sends the next one.
        if start:
            await send_with_allow(start)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _methods(scope: Any) -> set[bytes]:
    """The methods of a request's path, unless it has an answer to OPTIONS of its own.

    Litestar's answer lists those of the path's first handler.
    """
    for route in scope["litestar_app"].routes if "litestar_app" in scope else ():
        if route.path_format == scope.get("path_template"):
            own = any(
                "OPTIONS" in one.http_methods and one.fn.__module__.startswith("apps.") for one in route.route_handlers
            )
            return set() if own else {method.encode() for method in route.methods}
    return set()


def _with_all(name: bytes, value: bytes, known: set[bytes]) -> tuple[bytes, bytes]:
    if name.lower() != b"allow":
        return name, value
    methods = known | {method.strip() for method in value.split(b",")}
    return name, b", ".join(sorted(methods | ({b"HEAD"} if b"GET" in methods else set())))
