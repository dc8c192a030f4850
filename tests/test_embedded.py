"""The embedded PostgreSQL's settings that depend on where it runs."""

import os
from pathlib import Path

import pytest

from apps.embedded.postgres import EmbeddedPostgres, memory


@pytest.mark.parametrize(("limit", "expected"), [("536870912\n", 2**29), ("max\n", None), (f"{2**62}\n", None)])
def test_memory_is_that_of_the_container(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, expected: int | None
) -> None:
    file = tmp_path / "memory.max"
    file.write_text(limit)
    monkeypatch.setattr("apps.embedded.postgres.LIMITS", (tmp_path / "not there", file))
    assert memory() == (expected or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


@pytest.mark.parametrize(("memory", "buffers"), [(2**28, 128), (2**32, 1024), (2**40, 4096)])
def test_buffers_are_a_quarter_of_it_within_bounds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, memory: int, buffers: int
) -> None:
    monkeypatch.setattr("apps.embedded.postgres.memory", lambda: memory)
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.data.mkdir(parents=True)  # a cluster that need not be made
    assert f"--shared_buffers={buffers}MB" in server.child(log=tmp_path / "log").command
