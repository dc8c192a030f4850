"""The response with a report: JSON, or its rows as CSV or NDJSON if `format` or `Accept` says so; how long it keeps."""

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import zip_longest
from typing import Any

import msgspec
from litestar import Request, Response

from apps.reports.shared.query import Format
from apps.web.problems import refuse
from db.reports.shared.report import Report

Row = msgspec.Struct | dict[str, Any]

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
TYPES = (JSON, CSV, NDJSON)
FORMATS: dict[Format, str] = {"json": JSON, "csv": CSV, "ndjson": NDJSON}
#: What a text begins with that spreadsheets take for a formula (https://owasp.org/www-community/attacks/CSV_Injection),
#: unless it is just a number.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: What begins a cell where a spreadsheet separates them by semicolons or tabs, as in most of Europe.
INNER_FORMULA = re.compile(r"([;\t]\s*\"?)(?=[=+\-@＝＋－＠])")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.IGNORECASE)
#: Seconds for which a response may be kept: of a range that is over, to which late events may still be added, and of
#: one that is not.
OVER, NOT_OVER = 300, 5
#: Behind `as_of`, in reports that are compared: an object of two times.
COMPARED_WITH = b',"compared_with":{'
#: What a response depends on: no cache may give it to somebody else.
VARY = "Accept, Authorization, Cookie"


class Table(msgspec.Struct, kw_only=True, frozen=True):
    """A report, and how it looks as a table."""

    report: Report
    rows: Sequence[msgspec.Struct]
    columns: Sequence[str]
    """The names of the rows' fields, also of a table without rows."""
    compare: Sequence[msgspec.Struct | None] | None = None
    """What is beside each of the rows."""
    over: datetime | None = None
    """From when on only late events change the report, if that is not the end of its range."""


def report_response(request: Request[Any, Any, Any], table: Table, media_type: str, *, safe: bool) -> Response[bytes]:
    """The response with a report as JSON, CSV or NDJSON, or without one if the client has it already.

    safe: whether CSV is for a spreadsheet, as in encoded_rows.
    """
    body = msgspec.json.encode(table.report)
    tag = entity_tag(body, table.report.as_of, media_type, str(safe))
    seconds = OVER if (table.over or table.report.end) <= datetime.now(UTC) else NOT_OVER
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={seconds}", "Vary": VARY}
    if tag in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers, media_type=media_type)
    if media_type != JSON:
        rows: Sequence[Row] = table.rows
        columns = table.columns
        if table.compare is not None:
            rows = side_by_side(table.rows, table.compare)
            columns = [*columns, *(f"compare_{name}" for name in columns)]
        body = encoded_rows(rows, columns, media_type, safe=safe)
    return Response(body, headers=headers, media_type=media_type)


def entity_tag(body: bytes, as_of: datetime, *others: str) -> str:
    """The ETag of a report, the same whenever it is read: `as_of` is left out, and `compared_with` behind it, which
    ends now if the range is not over.

    In JSON, `"as_of":` can only be a name, as quotes in a text are escaped. The fields before the report's own are
    texts, so the first such name is the report's.
    """
    before, _, after = body.partition(b'"as_of":' + msgspec.json.encode(as_of))
    if after.startswith(COMPARED_WITH):
        compared_with, _, after = after.partition(b"}")
        end = compared_with.rpartition(b'"to":')[2]
        after = after.replace(b'"to":' + end, b"")  # GET /breakdown says it again
    found = hashlib.blake2b(before, digest_size=12)
    found.update(after)
    found.update("".join(others).encode())
    return f'"{found.hexdigest()}"'


def accepted(request: Request[Any, Any, Any], asked: Format | None, types: Sequence[str] = TYPES) -> str:
    """The media type of the format that is asked for, else the one that the client likes best, the first of those it
    likes equally. Raises Refusal (406)."""
    if asked:
        return FORMATS[asked]
    media_type = request.accept.best_match(list(types))
    if media_type is None:
        raise refuse(
            HTTPStatus.NOT_ACCEPTABLE, f"`Accept` should allow one of {', '.join(types)}; or ask for a `format`"
        )
    return media_type


def side_by_side(rows: Sequence[msgspec.Struct], others: Sequence[msgspec.Struct | None]) -> list[dict[str, Any]]:
    """Each row with the fields of the other that belongs to it as `compare_...`; either may be missing."""
    return [
        _fields(row) | {f"compare_{name}": value for name, value in _fields(other).items()}
        for row, other in zip_longest(rows, others)
    ]


def columns_of(kind: type[msgspec.Struct], *, without: Sequence[str] = ()) -> list[str]:
    """The columns of rows of this kind."""
    return [name for name in kind.__struct_encode_fields__ if name not in without]


def encoded(
    whole: msgspec.Struct, rows: Sequence[Row], columns: Sequence[str], media_type: str, *, safe: bool
) -> bytes:
    """All of it as JSON, or the part that is a table as CSV or NDJSON."""
    return msgspec.json.encode(whole) if media_type == JSON else encoded_rows(rows, columns, media_type, safe=safe)


def encoded_rows(
    rows: Sequence[Row], columns: Sequence[str], media_type: str, *, safe: bool = False, header: bool = True
) -> bytes:
    """Rows as CSV or NDJSON; in a cell of CSV what is no text or number is JSON.

    safe: a text that a spreadsheet would take for a formula has a ' before it, and so has what follows a semicolon or
    tab in a text, where a spreadsheet may begin another cell.
    """
    if media_type == NDJSON:
        return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    text = io.StringIO()
    builtins = [msgspec.to_builtins(row, enc_hook=_json) for row in rows]
    writer = csv.DictWriter(text, columns)
    if header:
        writer.writeheader()
    writer.writerows({name: _cell(value, safe=safe) for name, value in row.items()} for row in builtins)
    return text.getvalue().encode()


def _fields(row: msgspec.Struct | None) -> dict[str, Any]:
    return {} if row is None else dict(msgspec.to_builtins(row))


def _json(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode()
    return "" if text == "null" else text


def _cell(value: Any, *, safe: bool) -> Any:
    """A value as CSV can have it: lists and objects as JSON."""
    if isinstance(value, (list, dict)):
        value = msgspec.json.encode(value).decode()
    if safe and isinstance(value, str) and not NUMBER.fullmatch(value):
        value = INNER_FORMULA.sub(r"\1'", value)
        return f"'{value}" if value.startswith(FORMULA) else value
    return value
