"""Read files of other encodings as UTF-8."""

import codecs
import io
from typing import Any, BinaryIO

CHUNK = 64 * 1024


def _spoil(error: UnicodeError) -> tuple[str, int]:
    """Replace undecodable bytes by one that is not valid UTF-8, so that their row is refused."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("tjra.spoil", _spoil)


def decoder(encoding: str) -> codecs.IncrementalDecoder:
    """A decoder of the encoding with this name."""
    return codecs.getincrementaldecoder(encoding)(errors="tjra.spoil")


class Recoded(io.RawIOBase):
    """The bytes of a file in any encoding, recoded as UTF-8."""

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
            # The only halves of surrogate pairs in decoded text come from `_spoil`.
            self.ready = self.decoder.decode(data, final=self.ended).encode(errors="surrogateescape")
        size = min(len(buffer), len(self.ready))
        buffer[:size] = self.ready[:size]
        self.ready = self.ready[size:]
        return size


def encoding_of(head: bytes) -> str | None:
    """UTF-16 if the beginning of a file shows it, by its byte order mark or its zero bytes; otherwise None."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # In UTF-16, every other byte of ASCII text is zero; text files in other encodings have no zero bytes.
    if len(head) >= 4 and not any(head[1:64:2]) and all(head[0:64:2]):
        return "utf-16-le"
    if len(head) >= 4 and not any(head[0:64:2]) and all(head[1:64:2]):
        return "utf-16-be"
    return None
