"""CSV files (RFC 4180, also with another delimiter): the first row names the columns, each further one is a record."""

import csv
import re
from collections.abc import Iterator

import msgspec

from apps.importing.files.line_reader import LineReader, LineTooLong
from apps.importing.files.records import Record, Unusable

#: What may be between cells, and how it is said.
DELIMITERS = {
    ",": "separated by commas",
    ";": "separated by semicolons (--delimiter says otherwise)",
    "\t": "separated by tabs (--delimiter says otherwise)",
    "|": "separated by | (--delimiter says otherwise)",
}
#: Excel's own line, which is no header.
SEPARATOR = re.compile(r'"?sep=([^"\r\n\0])"?', re.IGNORECASE)
QUOTED = re.compile(r'"[^"]*"')
NOT_UTF_8 = "it is not UTF-8 text: --encoding reads others, such as cp1252"


class CsvFile:
    """The columns of a CSV file, and its records. Raises Unusable where the first row names no columns."""

    def __init__(self, lines: LineReader, delimiter: str | None = None) -> None:
        self.lines = lines
        texts = _Texts(lines)
        self.delimiter = delimiter or self._recognised(texts)
        # Strict: a quote that is never closed is a fault, not a cell that swallows the rows behind it.
        self.reader = csv.reader(texts, strict=True, delimiter=self.delimiter)
        self.columns = self._header()

    def records(self) -> Iterator[Record]:
        """Each row that is not blank."""
        while True:
            line = self.lines.number + 1
            try:
                cells = next(self.reader)
            except StopIteration:
                return
            except LineTooLong as fault:
                yield Record(line, b"", {}, str(fault))
            except csv.Error as fault:
                yield Record(line, b"", {}, f"not CSV: {fault}")
            else:
                if cells:
                    yield self._record(line, cells)

    def _record(self, line: int, cells: list[str]) -> Record:
        if len(cells) != len(self.columns):
            more = "more" if len(cells) > len(self.columns) else "fewer"
            return Record(line, b"", {}, f"it has {more} cells than there are columns")
        try:
            content = msgspec.json.encode(cells)
        except UnicodeEncodeError:
            return Record(line, b"", {}, NOT_UTF_8)
        return Record(line, content, dict(zip(self.columns, cells, strict=True)))

    def _recognised(self, texts: "_Texts") -> str:
        """What is between the cells: as Excel's first line says it, else what makes the most of the header."""
        try:
            first = next(texts)
            while not first.strip():
                first = next(texts)
        except (StopIteration, LineTooLong):
            return ","
        if match := SEPARATOR.fullmatch(first.strip("\r\n")):
            return match[1]
        texts.again = first
        bare = QUOTED.sub("", first)
        delimiter = max(DELIMITERS, key=bare.count)  # the first of several
        if delimiter != ",":
            self.lines.notes.append(f"{self.lines.name}: its cells are read as {DELIMITERS[delimiter]}")
        return delimiter

    def _header(self) -> list[str]:
        try:
            header = next(filter(None, self.reader), [])
            msgspec.json.encode(header)
        except (csv.Error, LineTooLong, UnicodeEncodeError) as fault:
            reason = NOT_UTF_8 if isinstance(fault, UnicodeEncodeError) else fault
            raise Unusable(f"{self.lines.name}: its first row should name the columns, but {reason}") from None
        return [column.strip() for column in header]


class _Texts:
    """Lines as text. Not a generator, since that would be over after the first LineTooLong."""

    def __init__(self, lines: LineReader) -> None:
        self.lines = lines
        self.again: str | None = None  # a line to be read once more

    def __iter__(self) -> "_Texts":
        return self

    def __next__(self) -> str:
        if self.again is not None:
            text, self.again = self.again, None
            return text
        # What is not UTF-8 is carried through to the record it is in, which is then refused as a whole.
        return next(self.lines).decode(errors="surrogateescape")
