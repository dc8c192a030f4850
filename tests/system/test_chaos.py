"""Whatever is killed under load, what was accepted is stored once. `tests.benchmarks.system.chaos` takes longer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.servers import temporary_folder
from tests.servers.stack import PARTS
from tests.system.chaos import Chaos


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = temporary_folder()
    yield folder
    shutil.rmtree(folder)


def test_whatever_is_killed_under_load_everything_accepted_is_stored_once(folder: Path) -> None:
    chaos = Chaos(folder / "data", pause=0.1)
    try:
        with chaos.load():
            for part in (*PARTS, "everything"):
                chaos.kill(part)
        chaos.check()
    finally:
        chaos.stack.stop()
