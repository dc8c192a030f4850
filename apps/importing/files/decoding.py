"""Files that are not UTF-8, read as if they were."""

import codecs
import io
from typing import Any, BinaryIO

CHUNK = 64 * 1024


def _spoil(error: UnicodeError) -> tuple[str, int]:
    """What cannot be decoded becomes a byte that is no UTF-8 either, so that the row it is in is refused."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("tjra.spoil", _spoil)


def decoder(encoding: str) -> codecs.IncrementalDecoder:
    """Of a text in some encoding, by its name."""
    return codecs.getincrementaldecoder(encoding)(errors="tjra.spoil")


class Recoded(io.RawIOBase):
    """The bytes of a file in some encoding, as UTF-8."""

    def __init__(self, file: BinaryIO | io.BufferedIOBase, encoding: str) -> None:
        self.file = file
        self.decoder = decoder(encoding)
        self.ready = b""
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.ready and not self.ended:
            data = self.file.read(CHUNK)
            self.ended = not data
            # A text that was decoded has no halves of surrogate pairs but those of what was spoiled.
            self.ready = self.decoder.decode(data, final=self.ended).encode(errors="surrogateescape")
        size = min(len(buffer), len(self.ready))
        buffer[:size] = self.ready[:size]
        self.ready = self.ready[size:]
        return size


def encoding_of(head: bytes) -> str | None:
    """The encoding of a file that begins like this, where that tells: UTF-16, by its mark or by its zeros."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # ASCII in UTF-16 has a zero in every other place; nothing else that is imported has one at all.
    if len(head) >= 4 and not any(head[1:64:2]) and all(head[0:64:2]):
        return "utf-16-le"
    if len(head) >= 4 and not any(head[0:64:2]) and all(head[1:64:2]):
        return "utf-16-be"
    return None
