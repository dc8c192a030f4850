"""How a report is answered: JSON, or its rows as CSV or NDJSON where `Accept` asks for that; and how long it keeps."""

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

from apps.web.problems import refuse
from db.reports.shared.report import Report

Row = msgspec.Struct | dict[str, Any]

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
TYPES = (JSON, CSV, NDJSON)
#: What a text begins with that spreadsheets take for a formula (https://owasp.org/www-community/attacks/CSV_Injection),
#: unless it is just a number.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.IGNORECASE)
#: Seconds for which an answer may be kept: of a range that is over, to which late events may still be added, and of one
#: that is not.
OVER, NOT_OVER = 300, 5


def report_response(
    request: Request[Any, Any, Any],
    report: Report,
    rows: Sequence[msgspec.Struct],
    columns: Sequence[str],
    *,
    safe: bool,
    compare: Sequence[msgspec.Struct | None] | None = None,
    over: datetime | None = None,
) -> Response[bytes]:
    """The report as the client wants it; `rows` is the part of it that is a table. Raises Refusal (406).

    columns: the names of their fields, whether there are rows or not.
    safe: whether CSV is for a spreadsheet, as in encoded_rows.
    compare: what stands in the table beside each of the rows.
    over: from when on only late events change it, where that is not the end of its range.
    """
    media_type = accepted(request)
    # Not of the moment at which it was asked.
    unchanging = msgspec.json.encode(msgspec.structs.replace(report, as_of=report.end))
    tag = f'"{hashlib.blake2b(unchanging + media_type.encode() + bytes([safe]), digest_size=12).hexdigest()}"'
    seconds = OVER if (over or report.end) <= datetime.now(UTC) else NOT_OVER
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={seconds}", "Vary": "Accept"}
    if tag in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers, media_type=media_type)
    table: Sequence[Row] = rows
    if compare is not None and media_type != JSON:
        table = side_by_side(rows, compare)
        columns = [*columns, *(f"compare_{name}" for name in columns)]
    return Response(encoded(report, table, columns, media_type, safe=safe), headers=headers, media_type=media_type)


def accepted(request: Request[Any, Any, Any], types: Sequence[str] = TYPES) -> str:
    """The media type that the client likes best, the first of those it likes equally. Raises Refusal (406)."""
    media_type = request.accept.best_match(list(types))
    if media_type is None:
        raise refuse(HTTPStatus.NOT_ACCEPTABLE, f"`Accept` should allow one of {', '.join(types)}")
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
    """An answer as JSON, or the part of it that is a table as CSV or NDJSON."""
    return msgspec.json.encode(whole) if media_type == JSON else encoded_rows(rows, columns, media_type, safe=safe)


def encoded_rows(
    rows: Sequence[Row], columns: Sequence[str], media_type: str, *, safe: bool = False, header: bool = True
) -> bytes:
    """Rows as CSV or NDJSON; in a cell of CSV what is no text or number is JSON.

    safe: a text that a spreadsheet would take for a formula has a ' before it.
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
    if safe and isinstance(value, str) and value.startswith(FORMULA) and not NUMBER.fullmatch(value):
        return f"'{value}"
    return msgspec.json.encode(value).decode() if isinstance(value, (list, dict)) else value
