"""Files and mappings that do not fit each other, and columns that are taken without one."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from apps.cli import main
from apps.importing.files.records import Unusable
from tests.apps.importing.test_import_tables import NOON, VIEW, import_csv, import_ndjson

__all__ = ["import_csv", "import_ndjson"]

USUAL = "visitor_id,anonymous_id,client_id,visitor,device_id"


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"columns": {"path": "place"}}, ["no column 'place'", "--column path=place", "event_type, path, timestamp"]),
        ({"properties": {"n": "note"}}, ["no column 'note'", "--property n=note"]),
        ({"columns": {"timestamp": ""}}, ["the timestamp is missing"]),
        ({"columns": {"user_id": "twice"}}, ["several columns 'twice'"]),
    ],
)
def test_a_mapping_that_does_not_fit_names_the_columns_there_are(
    import_csv: Any, mapping: Any, words: list[str]
) -> None:
    with pytest.raises(Unusable) as error:
        import_csv(f"event_type,path,timestamp,twice,twice\npage_view,/,{NOON},,\n", **mapping)
    for part in ["events.csv", *words]:
        assert part in str(error.value)


def test_a_json_array_is_told_how_to_become_ndjson(import_ndjson: Any) -> None:
    with pytest.raises(Unusable, match="jq"):
        import_ndjson([VIEW])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "punycode", "idna", "latn1"])
@pytest.mark.parametrize("name", ["views.csv", "views.ndjson", "views.log", "views.csv.gz"])
def test_an_encoding_that_the_file_does_not_have_is_told_in_a_line(tmp_path: Path, encoding: str, name: str) -> None:
    path = tmp_path / name
    text = f"timestamp,path,event_type\n{NOON},/,page_view\n".encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    done = CliRunner().invoke(main, ["import", str(path), "--site", "shop", "--dry-run", "--encoding", encoding])
    assert done.exit_code in (1, 2)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "--encoding" in last
    assert encoding in last


@pytest.mark.parametrize("content", ["", "\ufeff", "\n \r\n"])
@pytest.mark.parametrize("name", ["leer.csv", "leer.ndjson", "leer.log"])
def test_an_empty_file_is_no_success(tmp_path: Path, content: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    done = CliRunner().invoke(main, ["import", str(path), "--site", "shop", "--dry-run"])
    assert done.exit_code == 1
    assert f"{name} is empty" in done.stderr.splitlines()
    full = tmp_path / "full.csv"
    full.write_text(f"timestamp,path,event_type\n{NOON},/,page_view\n")
    done = CliRunner().invoke(main, ["import", str(path), str(full), "--site", "shop", "--dry-run"])
    assert done.exit_code == 0
    assert f"{name} is empty" in done.stderr.splitlines()
    assert "full.csv is empty" not in done.stderr


@pytest.mark.parametrize(
    ("time", "options"),
    [
        ("31.11.2026 10:00:00", []),
        ("29.02.2025", []),
        ("2026-11-31T10:00:00Z", []),
        ("2025-02-29", []),
        ("28.13.2026 14:05:00", []),
        ("2026-13-28", []),
        ("31/11/2026", ["--time-format", "%d/%m/%Y"]),
    ],
)
def test_a_day_that_does_not_exist_is_shown(tmp_path: Path, time: str, options: list[str]) -> None:
    path = tmp_path / "views.csv"
    path.write_text(f"timestamp,path,event_type\n{time},/,page_view\n")
    done = CliRunner().invoke(main, ["import", str(path), "--site", "shop", "--dry-run", *options])
    assert f"  1  {time!r}: there is no such day (views.csv line 2)" in done.stderr
    assert "--time-format" not in done.stderr


@pytest.mark.parametrize("time", ["12.31.2026 10:00", "2026-31-12", "10.11.2026 25:00", "2026-11-10T25:00"])
def test_a_day_that_may_be_written_in_another_order_names_the_option(tmp_path: Path, time: str) -> None:
    path = tmp_path / "views.csv"
    path.write_text(f"timestamp,path,event_type\n{time},/,page_view\n")
    done = CliRunner().invoke(main, ["import", str(path), "--site", "shop", "--dry-run"])
    assert "give its format with --time-format" in done.stderr


@pytest.mark.parametrize(
    ("columns", "cells", "options", "visitor"),
    [
        (USUAL, "a,b,c,d,e", {}, "a"),
        (USUAL, ",null,c,d,e", {}, "c"),
        ("device_id", "e", {}, "e"),
        ("Visitor,Device_ID,client", "a,b,c", {}, None),
        (USUAL, ",,c,,e", {"columns": {"user_id": "client_id"}}, "e"),
        (USUAL, ",,,,e", {"properties": {"phone": "device_id"}}, None),
        (USUAL, "a,b,,,", {"columns": {"visitor_id": "anonymous_id"}}, "b"),
        (USUAL, "a,b,c,d,e", {"columns": {"visitor_id": ""}}, None),
        (f"{USUAL},who", "a,b,c,d,e,undefined", {"columns": {"visitor_id": "who"}}, None),
    ],
)
def test_the_visitor_is_in_its_column_or_in_one_that_is_usual(
    import_csv: Any, import_ndjson: Any, columns: str, cells: str, options: dict[str, Any], visitor: str | None
) -> None:
    (row,) = import_csv(f"event_type,path,timestamp,{columns}\npage_view,/,{NOON},{cells}\n", **options).events
    values = dict(zip(columns.split(","), cells.split(","), strict=True))
    (one,) = import_ndjson(VIEW | {"timestamp": NOON} | values, **options).events
    assert (row.get("visitor_id"), one.get("visitor_id")) == (visitor, visitor)


def test_a_usual_name_of_the_visitor_may_be_something_else_in_json(import_ndjson: Any) -> None:
    more = {"timestamp": NOON, "visitor": {"name": "Ann"}, "device_id": 7}
    assert [one["visitor_id"] for one in import_ndjson(VIEW | more).events] == ["7"]
    assert import_ndjson(VIEW | more | {"visitor_id": {}}).events[0]["visitor_id"] == "7"
    assert not import_ndjson(VIEW | more | {"visitor_id": ["a"]}).events
