"""Whatever is killed under load, what was accepted is stored once. `tests.benchmarks.chaos` does it for longer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import Chaos
from tests.servers import temporary_folder
from tests.stack import PARTS


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = temporary_folder()
    yield folder
    shutil.rmtree(folder)


def test_whatever_is_killed_under_load_everything_accepted_is_stored_once(folder: Path) -> None:
    chaos = Chaos(folder / "data")
    try:
        with chaos.load():
            for part in (*PARTS, "everything"):
                chaos.kill(part)
        chaos.check()
    finally:
        chaos.stack.stop()
