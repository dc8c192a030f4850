"""NDJSON files: one JSON object per line."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from apps.importing.files.line_reader import LineReader
from apps.importing.files.records import Record, Refused, Unusable, record_per_line
from db.events.not_utf8 import without_ill
from db.events.tolerant_json import UNREADABLE, read

#: Records and bytes that are read to collect the file's keys.
PEEK_RECORDS, PEEK_BYTES = 1_000, 1024 * 1024


class NdjsonFile:
    """The keys at the beginning of an NDJSON file, and its records."""

    def __init__(self, lines: LineReader) -> None:
        if lines.begins_with(b"["):
            raise Unusable(
                f"{lines.name} holds a JSON array; it should hold a JSON object a line, as `jq -c '.[]'` makes them"
            )
        self.rest = record_per_line(lines, read_object)
        self.first = list(self._peek())
        self.columns = list(dict.fromkeys(key for record in self.first for key in record.values))

    def records(self) -> Iterator[Record]:
        """Each line that is not blank."""
        return chain(self.first, self.rest)

    def _peek(self) -> Iterator[Record]:
        size = 0
        for number, record in enumerate(self.rest, start=1):
            yield record
            size += len(record.content)
            if number == PEEK_RECORDS or size > PEEK_BYTES:
                return


def read_object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line, as tolerantly as the API reads it: NaN becomes null. Raises Refused."""
    try:
        values = without_ill(read(line))
    except UNREADABLE:
        values = None
    if not isinstance(values, dict):
        raise Refused("it is not a JSON object")
    return values
