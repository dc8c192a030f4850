"""What a connection is told that is refused before an app sees a request."""

from collections.abc import Iterable
from http import HTTPStatus

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from apps.web.problems import MEDIA_TYPE, Problem


def problem(status: HTTPStatus, detail: str, server_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A whole response, after which the connection is closed."""
    body = msgspec.json.encode(Problem(title=status.phrase, status=status, detail=detail))
    headers = [
        *server_headers,
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"1"))
    lines = [name + b": " + value + b"\r\n" for name, value in headers]
    return b"".join([STATUS_LINE[status], *lines, b"\r\n", body])
