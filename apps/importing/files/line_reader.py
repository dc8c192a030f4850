"""The files to import: their formats, and their lines, decompressed if they are gzip."""

import gzip
import io
import os
import stat
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Literal

from apps.importing.files.decoding import Recoded, encoding_of

Format = Literal["csv", "ndjson", "combined"]

FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".log": "combined",
}
#: Longest line in bytes; a longer one is refused, so that no file can exhaust memory.
MAX_LINE = 1024 * 1024

GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineTooLong(Exception):
    """A line was skipped; the iteration can continue."""


def format_of(path: Path) -> Format | None:
    """The format by the file's name, or None."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return FORMATS.get(suffixes[-1]) if suffixes else None


class LineReader:
    """An iterator over the lines of a file, each with its line end, and a context that closes it.

    Raises LineTooLong, after which it can continue. If the file is damaged, it ends early and sets `damage`. What it
    detected about the file, and may be wrong, is in `notes`.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.name = path.name
        self.hash = sha256()  # of the text so far, as UTF-8
        self.number = 0  # of the line read last, from 1
        self.blank = True  # so far
        self.rows = 0  # records so far, counted by the importer
        self.damage: str | None = None
        self.notes: list[str] = []
        self.file = path.open("rb")
        status = os.fstat(self.file.fileno())
        self.regular = stat.S_ISREG(status.st_mode)
        self.size = status.st_size if self.regular else 0
        self.text: io.BufferedReader | gzip.GzipFile = self.file
        if self.file.peek(len(GZIP)).startswith(GZIP):
            self.text = gzip.GzipFile(fileobj=self.file)
        if encoding is None and (encoding := encoding_of(self._unless_damaged(lambda: self.text.peek(64)))):
            self.notes.append(f"{self.name} is read as {encoding.upper()} (--encoding changes that)")
        self.encoding = encoding
        self.undecodable: str | None = None  # why the text does not have this encoding at all
        if encoding:
            self.text = io.BufferedReader(Recoded(self.text, encoding))

    def __enter__(self) -> "LineReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __iter__(self) -> "LineReader":
        return self

    def __next__(self) -> bytes:
        line = self._read()
        if not line:
            raise StopIteration
        self.hash.update(line)
        self.number += 1
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = self._read()
                self.hash.update(line)
            self.blank = False
            raise LineTooLong(f"the line is longer than {MAX_LINE:,} bytes")
        line = line.removeprefix(BYTE_ORDER_MARK) if self.number == 1 else line
        self.blank = self.blank and not line.strip()
        return line

    def begins_with(self, byte: bytes) -> bool:
        """Whether this is the file's first byte that is not white space. Call it before reading a line."""
        head = self._unless_damaged(lambda: self.text.peek(64))
        return head.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(byte)

    def encoding_fault(self) -> str | None:
        """Why the beginning of the file does not have its encoding, or None. Call it before reading a line."""
        self._unless_damaged(lambda: self.text.peek(1))
        return self.undecodable

    def position(self) -> int:
        """Bytes of the file read so far, before decompression; 0 for a pipe."""
        return self.file.tell() if self.regular else 0

    def _read(self) -> bytes:
        return self._unless_damaged(lambda: self.text.readline(MAX_LINE + 1))

    def _unless_damaged(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            self.undecodable = str(error) if isinstance(error, UnicodeError) else None
            self.damage = f"{self.name} cannot be read beyond line {self.number:,}: {error}"
            return b""
