"""CSV files (RFC 4180, also with other delimiters): the first row has the column names, each other row is a record."""

import csv
import re
from collections.abc import Iterator

import msgspec

from apps.importing.files.line_reader import LineReader, LineTooLong
from apps.importing.files.records import Record, Unusable

#: Delimiters, and their descriptions.
DELIMITERS = {
    ",": "separated by commas",
    ";": "separated by semicolons (--delimiter changes that)",
    "\t": "separated by tabs (--delimiter changes that)",
    "|": "separated by | (--delimiter changes that)",
}
#: Excel's first line with the delimiter, which is not a header.
SEPARATOR = re.compile(r'"?sep=([^"\r\n\0])"?', re.IGNORECASE)
QUOTED = re.compile(r'"[^"]*"')
NOT_UTF_8 = "it is not UTF-8 text: --encoding reads others, such as cp1252"


class CsvFile:
    """The columns and records of a CSV file. Raises Unusable if the first row does not have column names."""

    def __init__(self, lines: LineReader, delimiter: str | None = None) -> None:
        self.lines = lines
        texts = _Texts(lines)
        self.delimiter = delimiter or self._recognised(texts)
        # Strict: a quote that is never closed is an error, not a cell that contains all following rows.
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
        """The delimiter: from Excel's first line, otherwise the most frequent one in the header."""
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
        delimiter = max(DELIMITERS, key=bare.count)  # the first one of a tie
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
    """The lines of a LineReader as text. Not a generator, which would end at the first LineTooLong."""

    def __init__(self, lines: LineReader) -> None:
        self.lines = lines
        self.again: str | None = None  # a line to return again

    def __iter__(self) -> "_Texts":
        return self

    def __next__(self) -> str:
        if self.again is not None:
            text, self.again = self.again, None
            return text
        # Invalid UTF-8 passes through to its record, which is then refused as a whole.
        return next(self.lines).decode(errors="surrogateescape")
