"""A file ready for the import: opened, and checked against the options."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from apps.importing.files.access_log import LogEvents, read_line
from apps.importing.files.csv_file import CsvFile
from apps.importing.files.line_reader import Format, LineReader
from apps.importing.files.ndjson_file import NdjsonFile
from apps.importing.files.records import Fields, Record, Unusable, record_per_line
from apps.importing.rows.decimals import AmountColumns
from apps.importing.rows.mapping import Mapping
from apps.importing.rows.row_events import RowEvents


class Source(NamedTuple):
    """An opened file."""

    lines: LineReader
    records: Iterator[Record]
    event: Callable[[dict[str, Any]], Fields]  # from a record's values; raises Refused and Skipped
    amounts: AmountColumns | None = None  # what its amounts say of their separators; grows as it is read
    probe: RowEvents | None = None  # makes events of a table's first rows, to look at them beforehand


def open_source(
    lines: LineReader,
    kind: Format,
    *,
    site: str,
    mapping: Mapping,
    all_requests: bool,
    delimiter: str | None = None,
    bots: str = "drop",
    host: str | None = None,
) -> Source:
    """A Source for an opened file. Raises Unusable."""
    if fault := lines.encoding_fault():
        raise Unusable(f"{lines.name} cannot be read as {lines.encoding}: {fault}; give its encoding with --encoding")
    if kind == "combined":
        events = LogEvents(site, all_requests=all_requests, bots=bots, host=host)
        return Source(lines, record_per_line(lines, read_line), events.event)
    table = CsvFile(lines, delimiter) if kind == "csv" else NdjsonFile(lines)
    if table.columns:  # otherwise the file is empty
        mapping.check(lines.name, table.columns)
    automatic = mapping.automatic(table.columns)
    if automatic:
        told = ", ".join(name if name == column else f"{name} ({column})" for name, column in automatic.items())
        lines.notes.append(
            f"{lines.name}: properties by the names of its columns: {told}; --property NAME= leaves one out"
        )
    known = mapping.known(table.columns)
    if known:
        told = ", ".join(member if member == column else f"{member} ({column})" for member, column in known.items())
        lines.notes.append(f"{lines.name}: of the visit: {told}; --column NAME= leaves one out")
    rows, probe = (RowEvents(mapping, site, automatic, known) for _ in range(2))
    return Source(lines, table.records(), rows.event, rows.amounts, probe)
