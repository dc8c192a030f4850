"""The command's options, and what it does without sending."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from apps.cli import main
from apps.importing.files.line_reader import Format, format_of

NOON = "2026-03-10T12:00:00Z"
#: Nobody listens on this port: a test that sends something fails, late.
NOWHERE = "http://127.0.0.1:1"

UNREADABLE = "timestamp is neither ISO 8601 nor a number: give its format with --time-format, such as '%m/%d/%Y %H:%M'"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six rows, the second of which has no time that can be read, and the third one that is too old."""
    path = tmp_path / "events.csv"
    rows = [f"{NOON},/a", "later,/b", "1999-01-01,/c", f"{NOON},/d", f"{NOON},/e", f"{NOON},/f"]
    path.write_text("\n".join(["timestamp,path", *rows]))
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text('192.0.2.7 - - [10/Oct/2025:13:55:36 +0000] "POST / HTTP/1.1" 200 1 "-" "agent"\n')
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["import", "--site", "shop", "--url", NOWHERE, *map(str, arguments)])


def test_a_dry_run_checks_everything_shows_three_events_and_sends_nothing(table: Path) -> None:
    result = run(table, "--set", "event_type=page_view", "--dry-run")
    assert result.exit_code == 0
    decoder = json.JSONDecoder()
    shown, text = [], result.stdout.strip()
    while text:
        event, end = decoder.raw_decode(text)
        shown.append(event)
        text = text[end:].strip()
    assert [event["path"] for event in shown] == ["/a", "/d", "/e"]
    assert shown[0].keys() == {"site_id", "event_type", "path", "timestamp", "event_id"}
    assert result.stderr.splitlines()[1:6] == [
        "        4 good; nothing was sent",
        "        0 skipped",
        "        2 refused",
        f"              1  {UNREADABLE} (events.csv line 3)",
        "              1  timestamp is ...: before 2000-01-01T00:00:00+00:00 (events.csv line 4)",
    ]


def test_a_dry_run_of_nothing_good_fails(table: Path) -> None:
    table.write_text("timestamp,path,event_type\n1999-01-01,/c,sale\n")
    assert run(table, "--dry-run").exit_code == 1


def test_what_was_skipped_is_no_failure(log: Path) -> None:
    result = run(log)
    assert result.exit_code == 0
    assert "  1  method: not GET (access.log line 1)" in result.stderr


def test_several_files_of_several_formats_are_one_import(table: Path, log: Path) -> None:
    result = run(table, log, "--set", "event_type=sale", "--all-requests", "--dry-run")
    assert result.exit_code == 0
    assert "        5 good" in result.stderr


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "csv"),
        ("A.CSV.GZ", "csv"),
        ("a.ndjson", "ndjson"),
        ("a.jsonl.gz", "ndjson"),
        ("a.json", "ndjson"),
        ("access.log", "combined"),
        ("access.log.gz", "combined"),
        ("access.log.1", None),
        ("events", None),
        ("events.gz", None),
    ],
)
def test_the_format_is_told_by_the_name(name: str, kind: Format | None) -> None:
    assert format_of(Path(name)) == kind


def test_a_name_that_tells_no_format_needs_the_option(log: Path) -> None:
    rotated = log.rename(log.with_name("access.log.1"))
    result = run(rotated)
    assert result.exit_code == 2
    assert "access.log.1 does not show its format: use --format" in result.stderr
    assert run(rotated, "--format", "combined").exit_code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--column", "place=x"], "'place' should be one of event_type, path, user_id"),
        (["--column", "path"], "'path' should be FIELD=COLUMN"),
        (["--set", "timestamp=1"], "'timestamp' should be one of event_type, path, user_id"),
        (["--set", "path="], "'path=' should be FIELD=VALUE"),
        (["--set", "path=/", "--column", "path=path"], "path is given twice: by --column and by --set"),
        (["--set", "path=/", "--set", "path=/b"], "--set is given twice for 'path'"),
        (["--property", "=x"], "should be NAME=COLUMN or COLUMN"),
        (["--rename-type", "a"], "'a' should be OLD=NEW"),
        (["--timezone", "Berlin"], "'Berlin' should be the name of a timezone such as Europe/Berlin"),
        (["--timezone", "../etc/passwd"], "should be the name of a timezone"),
        (["--time-unit", "h"], "'h' is not one of 's', 'ms'"),
        (["--format", "xml"], "'xml' is not one of"),
        (["--url", "127.0.0.1:3000"], "should be such as http://127.0.0.1:3000"),
        (["--url", "http://[::1"], "should be such as http://127.0.0.1:3000"),
        (["--site", ""], "the site's id is empty"),
        (["--site", "x" * 256], "the site's id is 256 bytes long"),
        (["--all-requests"], "--all-requests is for access logs"),
        (["--format", "combined", "--set", "path=/"], "are for CSV and NDJSON, not for logs"),
    ],
)
def test_an_option_that_cannot_be_right_is_refused(table: Path, options: list[str], words: str) -> None:
    result = run(table, *options)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_mapping_that_does_not_fit_ends_it_before_anything_is_sent(table: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text(f"timestamp,path,event_type\n{NOON},/,sale\n")
    result = run(good, table, "--column", "user_id=who")
    assert result.exit_code == 1
    assert "good.csv cannot be imported:\n  it has no column 'who' (--column user_id=who)" in result.stderr
    result = run(good, table)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: events.csv cannot be imported:\n"
        "  the event_type is missing: --column event_type=COLUMN names its column, "
        "or --set event_type=VALUE sets it for all rows\n"
        "  its columns are: timestamp, path\n"
    )


def test_any_free_port_is_no_address(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGESTION_PORT", "0")
    result = CliRunner().invoke(main, ["import", "--site", "shop", str(table), "--set", "event_type=sale"])
    assert result.exit_code == 2
    assert "give the URL with --url" in result.stderr


def test_the_help_says_how_ids_and_users_are_made() -> None:
    text = " ".join(CliRunner().invoke(main, ["import", "--help"]).output.split())
    assert "exports may overlap" in text
    assert "SHA-256 over site, address and user agent" in text


@pytest.mark.parametrize(("bad", "good", "code"), [(1, 2, 0), (2, 2, 0), (3, 2, 1), (1, 0, 1)])
def test_more_than_half_of_the_rows_refused_is_a_failure_and_the_last_line_has_the_count(
    table: Path, bad: int, good: int, code: int
) -> None:
    rows = ["later,/"] * bad + [f"{NOON},/{number}" for number in range(good)]
    table.write_text("\n".join(["timestamp,path", *rows]))
    result = run(table, "--set", "event_type=page_view", "--dry-run")
    assert result.exit_code == code
    assert result.stderr.splitlines()[-1] == f"{bad} of {bad + good} rows were refused"


def test_a_file_of_a_header_alone_has_no_rows(table: Path) -> None:
    table.write_text("timestamp,path,event_type\n")
    result = run(table, "--dry-run")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "events.csv has no rows")


def test_lines_of_json_are_read_as_the_api_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    one = b'{"event_type":"sale","path":"/","timestamp":"2026-03-10T12:00:00Z","properties":{"x":%b}}\n'
    values = (b"NaN", b"-Infinity", b"undefined", rb'"\ud83d"', b'"a\tb"', b'"\xff"', b"1e999", b'"\xef\xbb\xbf"')
    path.write_bytes(b"\xef\xbb\xbf" + b"".join(one % value for value in values))
    result = run(path, "--dry-run")
    assert (result.exit_code, f"{len(values):>9,} good" in result.stderr) == (0, True), result.stderr
