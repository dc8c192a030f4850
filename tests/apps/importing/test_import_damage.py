"""Damaged and hostile files: they cost their rows, or say what is wrong, and never stop an import."""

import csv
import gzip
import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.importing.files.csv_file import NOT_UTF_8
from apps.importing.files.line_reader import MAX_LINE
from apps.importing.rows.mapping import Mapping
from tests.apps.importing.test_import_tables import HEADER, NOON, VIEW, Outcome, import_csv, import_ndjson

__all__ = ["import_csv", "import_ndjson"]


def test_a_quote_that_is_never_closed_costs_no_more_than_a_cell(import_csv: Any) -> None:
    row = f"page_view,/,{NOON},ann,\n"
    outcome = import_csv(HEADER + f'page_view,"/,{NOON},ann,\n' + row * 6_000)
    assert list(outcome.refused.values()) == ["events.csv line 2"]
    assert outcome.tally.sent > 1_000


def test_text_that_is_not_utf_8_costs_its_row_only(import_csv: Any) -> None:
    text = f"{HEADER}page_view,/caf\xe9,{NOON},,\npage_view,/tea,{NOON},,\n"
    outcome = import_csv(text.encode("latin-1"))
    assert outcome.refused == {NOT_UTF_8: "events.csv line 2"}
    assert outcome.tally.sent == 1


def test_an_endless_line_costs_its_row_only(import_csv: Any) -> None:
    outcome = import_csv(f"{HEADER}{'x' * 3 * MAX_LINE}\npage_view,/,{NOON},,\n")
    assert outcome.refused == {"the line is longer than 1,048,576 bytes": "events.csv line 2"}
    assert outcome.tally.sent == 1


def test_lines_that_are_no_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    good = msgspec.json.encode(VIEW | {"timestamp": NOON})
    path.write_bytes(b"\xef\xbb\xbf" + good + b"\r\n\n17\n{\n\xff\n" + b'{"a":' * 9000 + b"\n" + good)
    outcome = Outcome(path, "ndjson", Mapping())
    assert outcome.refused == {"it is not a JSON object": "events.ndjson line 3"}
    assert (outcome.tally.sent, outcome.tally.refused.total) == (2, 4)


def test_endless_nesting_costs_its_row_only(import_ndjson: Any) -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    outcome = import_ndjson(
        VIEW | {"timestamp": NOON, "n": deep},
        VIEW | {"timestamp": NOON, "event_id": deep},
        VIEW | {"timestamp": deep},
        VIEW | {"timestamp": NOON},
        properties={"n": "n"},
    )
    assert list(outcome.refused) == [
        "properties are nested more than 8 levels deep",
        "event_id is neither text nor a number",
        "timestamp is neither text nor a number",
    ]
    assert outcome.tally.sent == 1


def test_of_a_damaged_file_all_that_can_be_read_is_imported(import_csv: Any) -> None:
    rows = "".join(f"page_view,/{number},{NOON},,\n" for number in range(20_000))
    outcome = import_csv(gzip.compress((HEADER + rows).encode())[:-2_000])
    assert outcome.damage
    assert "events.csv cannot be read beyond line" in outcome.damage
    assert outcome.tally.sent > 10_000


@pytest.mark.parametrize("kind", ["csv", "ndjson", "combined"])
@pytest.mark.parametrize("kept", [5, 12, 30])
def test_a_file_damaged_from_the_start_says_so(tmp_path: Path, kind: Any, kept: int) -> None:
    path = tmp_path / "events.gz"
    path.write_bytes(gzip.compress(HEADER.encode() * 9)[:kept])
    outcome = Outcome(path, kind, Mapping())
    assert outcome.tally.read == 0
    assert (outcome.damage or "").startswith("events.gz cannot be read beyond line 0: ")


cells = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["page_view", "/", NOON, "1e999", "9" * 400, '{"a":1}', "https://[", "0001-01-01T00:00+14:00", "https://h/\0"]
)


@settings(deadline=None)
@given(st.lists(st.lists(cells, min_size=5, max_size=5)))
def test_no_cells_can_stop_an_import(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path = tmp_path_factory.getbasetemp() / "random.csv"
    path.write_text(HEADER + text.getvalue(), newline="")
    tally = Outcome(path, "csv", Mapping(properties={"copy": "path"}, zone=ZoneInfo("America/New_York"))).tally
    assert tally.read == tally.sent + tally.refused.total == len(rows)


@settings(deadline=None)
@given(st.sampled_from(["csv", "ndjson", "combined"]), st.binary())
def test_no_bytes_can_stop_an_import(tmp_path_factory: pytest.TempPathFactory, kind: Any, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random"
    head = {"csv": HEADER.encode(), "ndjson": b'{"event_type":"","path":"","timestamp":0}\n', "combined": b""}[kind]
    path.write_bytes(head + content)
    tally = Outcome(path, kind, Mapping()).tally
    assert tally.read == tally.sent + tally.refused.total + tally.skipped.total
