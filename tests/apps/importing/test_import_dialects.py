"""Times, texts and tables as others write them: recognised, or named by the option that reads them."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from apps.cli import main

VIEWS = ["--set", "event_type=page_view"]


@pytest.fixture
def dry_run(tmp_path: Path) -> Any:
    """What a dry run says of a file with these bytes."""

    def run(content: str | bytes, *arguments: str, name: str = "events.csv", encoding: str = "utf-8") -> Result:
        path = tmp_path / name
        path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        return CliRunner().invoke(main, ["import", str(path), "--site", "shop", "--dry-run", *arguments])

    return run


@pytest.mark.parametrize(
    ("text", "form", "utc"),
    [
        ("12/1/2010 8:26", "%m/%d/%Y %H:%M", "2010-12-01T07:26:00Z"),
        ("12/1/2010 8:26", "%d/%m/%Y %H:%M", "2010-01-12T07:26:00Z"),
        ("13.11.2024 20:29:46", "%d.%m.%Y %H:%M:%S", "2024-11-13T19:29:46Z"),
        ("13.11.2024 20:29:46", None, "2024-11-13T19:29:46Z"),
        ("3.2.2024, 7:05", None, "2024-02-03T06:05:00Z"),
        ("3.2.2024", None, "2024-02-02T23:00:00Z"),
        ("20101201", "%Y%m%d", "2010-11-30T23:00:00Z"),
        ("Dec 1 2010 08:26:00 AM -0500", "%b %d %Y %I:%M:%S %p %z", "2010-12-01T13:26:00Z"),
    ],
)
def test_times_are_read_as_they_are_written(dry_run: Any, text: str, form: str | None, utc: str) -> None:
    format_option = ["--time-format", form] if form else []
    timezone = ["--timezone", "Europe/Berlin", "--format", "csv", "--delimiter", "|"]
    result = dry_run(f"path|timestamp\n/|{text}\n", *VIEWS, *format_option, *timezone)
    assert f'"timestamp": "{utc}"' in result.stdout, result.output


def test_a_time_that_cannot_be_read_names_the_option(dry_run: Any) -> None:
    text = "path,timestamp\n/,12/1/2010 8:26\n"
    assert "give its format with --time-format" in dry_run(text, *VIEWS).stderr
    wrong = dry_run(text, *VIEWS, "--time-format", "%Y-%m-%d")
    assert "timestamp does not match --time-format: %Y-%m-%d (events.csv line 2)" in wrong.stderr


@pytest.mark.parametrize("form", ["%Q", "%H:%M", "%d.%m.", "", "date"])
def test_a_format_of_no_date_is_refused(dry_run: Any, form: str) -> None:
    result = dry_run("path,timestamp\n", *VIEWS, "--time-format", form)
    assert result.exit_code == 2
    assert "should say year, month and day" in result.stderr


TABLE = 'timestamp,path,note\n2024-03-10T12:00:00Z,/caf\u00e9,"a,b;c"\n'
SEMICOLONS = 'timestamp;path;note\n2024-03-10T12:00:00Z;/caf\u00e9;"a,b;c"\n'


@pytest.mark.parametrize(
    ("content", "arguments", "note"),
    [
        (TABLE, [], ""),
        (SEMICOLONS, [], "events.csv: its cells are read as separated by semicolons (--delimiter changes that)\n"),
        ("sep=;\r\n" + SEMICOLONS, [], ""),
        ("\ufeffsep=;\n" + SEMICOLONS, [], ""),
        (SEMICOLONS, ["--delimiter", ";"], ""),
        (TABLE.replace(",", "\t"), [], "separated by tabs"),
        (TABLE.replace(",", "\t"), ["--delimiter", "tab"], ""),
        (SEMICOLONS.encode("utf-16"), [], "events.csv is read as UTF-16 (--encoding changes that)\n"),
        (TABLE.encode("utf-16-be"), [], "events.csv is read as UTF-16-BE"),
        (TABLE.encode("latin-1"), ["--encoding", "latin-1"], ""),
        (TABLE.encode("cp1252"), ["--encoding", "cp1252"], ""),
    ],
)
def test_a_table_is_read_as_it_was_saved_and_a_guess_is_said(
    dry_run: Any, content: Any, arguments: list[str], note: str
) -> None:
    plain = dry_run(TABLE, *VIEWS)
    result = dry_run(content, *VIEWS, *arguments)
    assert "1 good" in result.stderr, result.stderr
    assert '"path": "/caf\u00e9"' in result.stdout
    assert '"event_id": ' in plain.stdout
    if "\t" not in str(content) and "\\t" not in str(content):
        assert result.stdout == plain.stdout  # ids too: the content of a row is its cells
    assert note in result.stderr
    assert note or "read as" not in result.stderr


def test_what_is_not_utf_8_names_the_option(dry_run: Any) -> None:
    assert "not UTF-8 text: --encoding reads others" in dry_run(TABLE.encode("cp1252"), *VIEWS).stderr
    header = dry_run("timestamp,path,pr\u00e9nom\n".encode("cp1252"), *VIEWS)
    assert "not UTF-8 text: --encoding reads others" in header.stderr


def test_what_an_encoding_lacks_costs_its_row_only(dry_run: Any) -> None:
    rows = b"timestamp,path\n2024-03-10,/\x81\n2024-03-10,/\x80\n"
    result = dry_run(rows, *VIEWS, "--encoding", "cp1252")
    assert ('"path": "/\u20ac"' in result.stdout, "1 refused" in result.stderr) == (True, True)
    odd = dry_run(TABLE.encode("utf-16") + b"\n", *VIEWS)
    assert "1 good" in odd.stderr
    assert "1 refused" in odd.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--encoding", "klingon"], "should be an encoding such as cp1252"),
        (["--encoding", "hex"], "should be an encoding such as cp1252"),
        (["--delimiter", ";;"], "should be one character"),
        (["--bots", "drop"], "--bots is for access logs"),
    ],
)
def test_an_option_that_cannot_be_used_says_why(dry_run: Any, arguments: list[str], words: str) -> None:
    result = dry_run(TABLE, *VIEWS, *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
