"""Read a request body, limited in size (also after decompression) and in time."""

import sys
import zlib
from http import HTTPStatus
from typing import Any, Protocol

from litestar.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from apps.web.deadlines import with_deadline
from apps.web.problems import Refusal, refuse

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
ENCODINGS = (b"", b"identity", b"gzip", b"x-gzip", b"zstd")
#: Bytes that all bodies which are still arriving may take in this process, beyond the first SMALL of each.
MOST_HELD, SMALL = 256 * 1024 * 1024, 64 * 1024
#: Largest number of concatenated compressed frames in a body: thousands of tiny ones would take minutes.
MAX_FRAMES = 16


class Arriving:
    """The bodies that are still arriving: many clients that each send one slowly must not take all memory."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self.most = most
        self.held = 0

    def hold(self, size: int) -> None:
        """Count so many bytes more. Raises Refusal (503)."""
        self.held += size
        if self.held > self.most:
            raise refuse(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many large bodies are being sent at once: try again, or send smaller ones",
                headers={"Retry-After": "1", "Connection": "close"},
            )


_arriving = Arriving()


async def read_body(
    scope: Scope,
    receive: Receive,
    *,
    limit: int,
    timeout: float,  # noqa: ASYNC109
    arriving: Arriving = _arriving,
) -> bytes:
    """The whole body, decompressed: at most `limit` bytes, before and after decompression, within `timeout` seconds.

    A byte order mark at its beginning is left out.
    The first bytes determine the compression, because some clients send no header for it. Raises Refusal (400, 408,
    413, 415, 503).
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20 and int(value) > limit:
            raise _too_large(limit)
        if name == b"content-encoding" and value.strip().lower() not in ENCODINGS:
            raise refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding should be gzip, zstd or left out")
    try:
        whole = _whole_body(receive, limit, arriving)
        body = await (whole if _is_there(receive) else with_deadline(whole, timeout))
    except TimeoutError:
        raise refuse(
            HTTPStatus.REQUEST_TIMEOUT,
            f"the body did not arrive within {timeout} s",
            headers={"Connection": "close"},  # otherwise the server keeps waiting for the body
        ) from None
    if body.startswith((GZIP, ZSTD)):
        body = _decompressed(body, limit)
    return body.removeprefix(BYTE_ORDER_MARK)


def _is_there(receive: Receive) -> bool:
    """Whether uvicorn has the whole body already, as of most events: then nothing waits for it."""
    cycle = getattr(receive, "__self__", None)
    return cycle.__class__ is RequestResponseCycle and not cycle.more_body


async def _whole_body(receive: Receive, limit: int, arriving: Arriving) -> bytes:
    parts = []
    size = held = 0
    try:
        while True:
            message: Any = await receive()
            if message["type"] != "http.request":
                # The client is gone; raise anyway, so that the request is counted.
                raise refuse(HTTPStatus.REQUEST_TIMEOUT, "the client disconnected before it had sent the whole body")
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            if not message.get("more_body"):
                return b"".join(parts)
            if size > SMALL:
                more, held = size - held, size
                arriving.hold(more)
    finally:
        if held:
            arriving.held -= held


class _Decompressor(Protocol):
    """The common interface of zlib's and zstd's decompressors."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _decompressor(body: bytes) -> _Decompressor:
    if body.startswith(ZSTD):
        # A frame may request a window of 128 MiB of memory; RFC 8878 requires decoders to support only 8 MiB.
        return ZstdDecompressor(options={DecompressionParameter.window_log_max: 23})
    return zlib.decompressobj(wbits=31)


def _decompressed(body: bytes, limit: int) -> bytes:
    parts = []
    room = limit
    for _ in range(MAX_FRAMES):
        decompressor = _decompressor(body)
        try:
            part = decompressor.decompress(body, room + 1)
        except (zlib.error, ZstdError) as error:
            raise refuse(HTTPStatus.BAD_REQUEST, f"the body cannot be decompressed: {error}") from None
        parts.append(part)
        room -= len(part)
        if room < 0:
            raise _too_large(limit)
        if not decompressor.eof:
            raise refuse(HTTPStatus.BAD_REQUEST, "the body cannot be decompressed: its end is missing")
        body = decompressor.unused_data
        if not body:
            return b"".join(parts)
    raise refuse(HTTPStatus.BAD_REQUEST, f"the body is compressed in more than {MAX_FRAMES} parts")


def _too_large(limit: int) -> Refusal:
    return refuse(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have at most {limit:,} bytes, also when decompressed"
    )
