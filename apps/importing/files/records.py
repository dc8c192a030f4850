"""The common output of the readers of all formats: records, and exceptions for rows that do not become events."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from apps.importing.files.line_reader import LineReader, LineTooLong

#: The fields of an event as sent.
Fields = dict[str, Any]


class Refused(Exception):
    """A row cannot become an event. The message is the reason without the row's values, because reasons are counted.

    For each reason, the `value` of the first row is shown, if it has one.
    """

    def __init__(self, reason: str, *, value: str | None = None) -> None:
        super().__init__(reason)
        self.value = value


class Skipped(Exception):
    """A row is left out on purpose; the message is the reason."""


class Unusable(Exception):
    """A file cannot be imported with these options; the message says what would help."""


class Record(NamedTuple):
    """A row of a file."""

    line: int  # its first line, from 1
    content: bytes  # the event's id is made from it
    values: dict[str, Any]
    fault: str | None = None  # why it could not be read


def record_per_line(lines: LineReader, read: Callable[[bytes], dict[str, Any]]) -> Iterator[Record]:
    """One record per line that is not blank; `read` returns its values or raises Refused."""
    while True:
        try:
            content = next(lines).strip()
            if not content:
                continue
            record = Record(lines.number, content, read(content))
        except StopIteration:
            return
        except (Refused, LineTooLong) as fault:
            record = Record(lines.number, b"", {}, str(fault))
        yield record
