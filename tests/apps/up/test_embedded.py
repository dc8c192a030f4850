"""The embedded PostgreSQL's settings that depend on where it runs."""

import os
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from apps.up.embedded.binaries import CannotStart
from apps.up.embedded.os_user import account_for
from apps.up.embedded.postgres import EmbeddedPostgres, memory
from apps.up.stack import up
from db.settings import Settings
from tests.servers.servers import temporary_folder


@pytest.mark.parametrize(("limit", "expected"), [("536870912\n", 2**29), ("max\n", None), (f"{2**62}\n", None)])
def test_memory_is_that_of_the_container(tmp_path: Path, limit: str, expected: int | None) -> None:
    file = tmp_path / "memory.max"
    file.write_text(limit)
    assert memory((tmp_path / "not there", file)) == (
        expected or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    )


@pytest.mark.parametrize(("memory", "buffers"), [(2**28, 128), (2**32, 1024), (2**40, 4096)])
def test_buffers_are_a_quarter_of_it_within_bounds(tmp_path: Path, memory: int, buffers: int) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", memory_bytes=memory)
    server.data.mkdir(parents=True)  # a cluster that need not be made
    assert f"--shared_buffers={buffers}MB" in server.child(log=tmp_path / "log").command


@pytest.mark.parametrize("program", ["not there", "may not run", "fails"])
def test_a_postgresql_that_cannot_be_run_is_said_in_a_line(tmp_path: Path, program: str) -> None:
    if program != "not there":
        (tmp_path / "initdb").write_text("#!/bin/sh\necho one >&2\necho two >&2\nexit 1\n")
        (tmp_path / "initdb").chmod(0o755 if program == "fails" else 0o644)
        tmp_path.chmod(0o755)
    folder = temporary_folder()
    with pytest.raises(CannotStart) as error:
        EmbeddedPostgres(folder / "postgres", programs=tmp_path).child(log=folder / "log")
    shutil.rmtree(folder)
    assert "\n" not in str(error.value)
    assert "initdb" in str(error.value)


def test_a_start_that_failed_leaves_nothing_of_a_new_folder(tmp_path: Path) -> None:
    def fail(line: str) -> None:
        """What is told immediately before PostgreSQL starts is the last that happens."""
        if line.startswith("PostgreSQL: embedded"):
            raise CannotStart("it cannot")

    settings = Settings(data_dir=tmp_path / "a" / "new", ingestion_port=0, reporting_port=0)
    with pytest.raises(CannotStart):
        up(settings, workers=1, report=fail)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "mine").touch()
    with pytest.raises(CannotStart):
        up(msgspec.structs.replace(settings, data_dir=tmp_path / "old"), workers=1, report=fail)
    assert (tmp_path / "old" / "mine").exists()


def test_a_folder_that_is_there_and_closed_to_its_account_is_named(tmp_path: Path) -> None:
    """A mount point, say: no link can take its place."""
    closed = tmp_path / "closed"
    (closed / "postgres").mkdir(parents=True)
    closed.chmod(0o700)
    if account_for(closed / "postgres" / "data") is None:
        assert EmbeddedPostgres(closed / "postgres").folder == closed / "postgres"
    else:  # we are root
        with pytest.raises(CannotStart, match=re.escape(f"open {closed} to it")):
            EmbeddedPostgres(closed / "postgres")
