"""HEAD: every address that answers GET answers it too, with the same status and headers and no body (RFC 9110, 9.3.2).

To the app inside it is a GET, so that a route can have no HEAD that differs from it, and none that was forgotten. What
is sent as it is made (an export, a stream) ends with its headers. `Allow` names HEAD wherever it names GET.
"""

from typing import Any

from litestar.types import ASGIApp, Receive, Send

#: In the scope of a GET that was a HEAD: for those few whose GET is more than a look.
IS_HEAD = "tjra.head"


class Heads:
    """An ASGI app that has the app inside answer HEAD as GET, and keeps the body back."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_allow(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] in (204, 405):
                message["headers"] = [_with_head(*header) for header in message["headers"]]
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
            # Whoever streams a body listens for its client to go away.
            return {"type": "http.disconnect"} if start else await receive()

        # A copy: the server has to go on seeing a HEAD, as it checks the length of what is sent.
        inner: Any = {**scope, "method": "GET", IS_HEAD: True}
        try:
            await self.app(inner, receive_until_start, keep_start)
        finally:
            if "path_template" in inner:  # for the metrics
                scope["path_template"] = inner["path_template"]
        # Only now: whoever has the answer may ask again at once, and finds nothing of this request still running.
        if start:
            await send_with_allow(start)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _with_head(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name.lower() != b"allow":
        return name, value
    methods = {method.strip() for method in value.split(b",")}
    return name, b", ".join(sorted(methods | ({b"HEAD"} if b"GET" in methods else set())))
