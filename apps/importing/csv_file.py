"""CSV files (RFC 4180): the first row names the columns, each further one is a record."""

import csv
from collections.abc import Iterator

import msgspec

from apps.importing.files import Lines, LineTooLong
from apps.importing.records import Record, Unusable


class CsvFile:
    """The columns of a CSV file, and its records. Raises Unusable where the first row names no columns."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        # Strict: a quote that is never closed is a fault, not a cell that swallows the rows behind it.
        self.reader = csv.reader(_Texts(lines), strict=True)
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
            return Record(line, b"", {}, "it is not UTF-8 text")
        return Record(line, content, dict(zip(self.columns, cells, strict=True)))

    def _header(self) -> list[str]:
        try:
            header = next(filter(None, self.reader), [])
            msgspec.json.encode(header)
        except (csv.Error, LineTooLong, UnicodeEncodeError) as fault:
            reason = "it is not UTF-8 text" if isinstance(fault, UnicodeEncodeError) else fault
            raise Unusable(f"{self.lines.name}: its first row should name the columns, but {reason}") from None
        return [column.strip() for column in header]


class _Texts:
    """Lines as text. Not a generator, since that would be over after the first LineTooLong."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    def __iter__(self) -> "_Texts":
        return self

    def __next__(self) -> str:
        # What is not UTF-8 is carried through to the record it is in, which is then refused as a whole.
        return next(self.lines).decode(errors="surrogateescape")
