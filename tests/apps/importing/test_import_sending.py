"""tjra import with an API behind it: what the command sends, says and ends with."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from apps.cli import main
from apps.up.data_dir import DataFolder, environment_of_folder
from db.settings import load
from tests.apps.importing.test_import_sender import INTERRUPT, Api, api, run
from tests.servers.key import ADMIN_KEY

__all__ = ["api"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """1,201 rows; the last one has no path."""
    path = tmp_path / "events.csv"
    rows = [f"2026-03-10T12:00:00Z,page_view,/{number}\n" for number in range(1_200)]
    path.write_text("timestamp,event_type,path\n" + "".join(rows) + "2026-03-10T12:00:00Z,page_view,\n")
    return path


def test_the_command_sends_a_file_and_sums_up(api: Api, file: Path) -> None:
    result = run(file, api.url)
    assert result.exit_code == 0
    assert [len(batch) for batch in api.taken] == [500, 500, 200]
    assert api.taken[2][199]["path"] == "/1199"
    assert api.connections == 1
    assert result.stdout == ""
    first, *rest = result.stderr.splitlines()
    assert first.startswith("    1,201 rows read in ")
    assert rest[:4] == [
        "    1,200 sent",
        "        0 skipped",
        "        1 refused",
        "              1  path is empty (events.csv line 1,202)",
    ]
    assert "  /stats     1,200 views, of 1,200 events" in rest


def test_rows_that_the_api_refuses_are_told_like_others(api: Api, file: Path) -> None:
    errors = [{"field": "path", "reason": "is 3000 bytes long", "allowed": "less"}]
    rejected = [{"index": 7, "errors": errors}, {"index": 9, "errors": errors}]
    api.answers = [(202, {}, {"rejected": []}), (202, {}, {"rejected": rejected})]
    result = run(file, api.url)
    assert result.exit_code == 0
    assert "    1,198 sent" in result.stderr
    assert "  2  path is ... bytes long (events.csv line 509)" in result.stderr


def test_the_command_fails_where_nothing_was_taken(api: Api, file: Path) -> None:
    file.write_text("timestamp,event_type,path\n2026-03-10T12:00:00Z,page_view,\n")
    assert run(file, api.url).exit_code == 1
    file.write_text("timestamp,event_type,path\n")
    empty = run(file, api.url)
    assert empty.exit_code == 1
    assert "events.csv has no rows" in empty.stderr


def test_a_server_that_goes_away_ends_the_command_with_what_was_sent(api: Api, file: Path) -> None:
    api.answers = [(202, {}, {"rejected": []})] + [(500, {}, {})] * 20
    result = run(file, api.url, give_up_after=0.2)
    assert result.exit_code == 1
    assert "      500 sent" in result.stderr
    assert "      500 read but not sent" in result.stderr
    assert result.stderr.splitlines()[-1] == ("500 rows were sent; running it again is safe: no event counts twice")


def test_an_interrupt_ends_the_command_with_what_was_sent(api: Api, file: Path) -> None:
    api.answers = [(INTERRUPT, {}, {})]
    # Where tests run side by side, their processes ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run(file, api.url)
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.exit_code == 130
    assert "      500 read but not sent" in result.stderr
    assert "stopped; running it again is safe" in result.stderr


def test_a_terminal_sees_the_progress(api: Api, file: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "apps", "import", str(file), "--site", "shop", "--url", api.url]
    try:
        subprocess.run(command, stderr=theirs, check=True, timeout=60, env=os.environ | {"TERM": "xterm"})
        shown = os.read(ours, 65_536).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    assert "100%" in shown
    assert "1,201 rows, " in shown
    assert "1 refused" in shown


def test_what_is_not_a_terminal_sees_no_control_characters(api: Api, file: Path) -> None:
    output = run(file, api.url).output
    assert output.replace("\n", "").isprintable()


def test_an_import_goes_to_the_installation_of_its_folder(
    api: Api, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATA_DIR", raising=False)
    monkeypatch.delenv("INGESTION_PORT", raising=False)
    port = str(urlsplit(api.url).port)
    with DataFolder(tmp_path / ".tjra") as data:
        data.used = True
        data.write_env({"INGESTION_PORT": port, "REPORTING_PORT": "1"})
    for given in (None, "0"):
        if given:
            monkeypatch.setenv("INGESTION_PORT", given)
        done = CliRunner().invoke(main, ["import", str(file), "--site", "shop"])
        assert f"sent to the ingestion API at http://127.0.0.1:{port}" in done.stderr
        assert "the reporting API at http://127.0.0.1:1 did not take it" in done.stderr
        assert len(api.taken) == 3
        assert set(api.keys) == {f"Bearer {ADMIN_KEY}"}  # of the settings
        api.taken.clear()
    CliRunner().invoke(main, ["import", str(file), "--site", "shop", "--url", api.url, "--key", ADMIN_KEY])
    assert api.keys[-1] is None  # no other server gets it
    monkeypatch.setenv("INGESTION_PORT", "7")
    with environment_of_folder():
        assert load().ingestion_port == 7
