"""The files to import: their formats, and their lines one by one, unzipped where they are gzip."""

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
#: Bytes of a line; a longer one is refused, so that no file can fill the memory.
MAX_LINE = 1024 * 1024

GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineTooLong(Exception):
    """This line was passed over; the iteration goes on behind it."""


def format_of(path: Path) -> Format | None:
    """What the file's name says that it holds."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return FORMATS.get(suffixes[-1]) if suffixes else None


class LineReader:
    """An iterator over the lines of a file, each with its line end, and a context that closes it.

    Raises LineTooLong, after which it can go on. It ends early where the file is damaged, and says so in `damage`. What
    was recognised of it, and may be wrong, is in `notes`.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.name = path.name
        self.hash = sha256()  # of the text so far, as UTF-8
        self.number = 0  # of the line read last, from 1
        self.blank = True  # so far
        self.rows = 0  # records, by who reads them
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
            self.notes.append(f"{self.name} is read as {encoding.upper()} (--encoding says otherwise)")
        self.encoding = encoding
        self.undecodable: str | None = None  # why the text is not of this encoding at all
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
        """Whether this is the first byte of the file that is not white space, before any line was read."""
        head = self._unless_damaged(lambda: self.text.peek(64))
        return head.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(byte)

    def encoding_fault(self) -> str | None:
        """Why the file is not of its encoding, as far as its beginning tells, before any line was read."""
        self._unless_damaged(lambda: self.text.peek(1))
        return self.undecodable

    def position(self) -> int:
        """How many of the file's bytes were read, as they lie on the disk; 0 for a pipe."""
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
