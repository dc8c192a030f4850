"""What the readers of all formats hand on: records, and why some of them do not become events."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from apps.importing.files.line_reader import LineReader, LineTooLong

#: The fields of an event, as they are sent.
Fields = dict[str, Any]


class Refused(Exception):
    """This row cannot become an event; the message is the reason, without the row's values: reasons are counted.

    Of the rows with the same reason, the first one's `value` is shown, where there is one.
    """

    def __init__(self, reason: str, *, value: str | None = None) -> None:
        super().__init__(reason)
        self.value = value


class Skipped(Exception):
    """This row is not wanted as an event; the message is the reason."""


class Unusable(Exception):
    """This file cannot be imported as it was asked for; the message says what would help."""


class Record(NamedTuple):
    """A row of a file."""

    line: int  # where it begins, from 1
    content: bytes  # what its event's id is made from
    values: dict[str, Any]
    fault: str | None = None  # why it could not be read


def record_per_line(lines: LineReader, read: Callable[[bytes], dict[str, Any]]) -> Iterator[Record]:
    """Each line that is not blank as a record; `read` gives its values or raises Refused."""
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
