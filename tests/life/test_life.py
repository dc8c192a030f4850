"""Short lives, with every run of the suite; `python -m tests.life` lives long ones."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.checks.thorough import TIMES
from tests.life.counting.asking import Mismatch
from tests.life.faults import FAULTS
from tests.life.life import live
from tests.life.writing.author import write_life
from tests.life.writing.steps import Life

EmptyDatabase = Callable[..., str]

#: Of each fault the seed and the length of a life that finds it soon.
FOUND_BY = {
    "retention": (14, 200),
    "a site's retention": (0, 200),
    "a site's deleted days": (11, 200),
    "top paths": (0, 200),
    "ids": (0, 200),
    "funnel": (4, 200),
    "a visitor's months stay": (0, 150),
    "a visitor's bits stay": (5, 200),
    "a visitor's number counts": (8, 200),
    "another login counts": (5, 200),
    "a late event is lost": (4, 200),
    "a late event is doubled": (14, 200),
}
#: Lives that once went wrong, as short as they could be made.
KEPT = sorted((Path(__file__).parent / "kept").glob("*.json"))


@pytest.mark.some(2)
@pytest.mark.parametrize("seed", range(5 * TIMES))
def test_every_number_is_right_whatever_happens(empty_database: EmptyDatabase, seed: int) -> None:
    lived = live(write_life(seed, events=300), empty_database(), audits=4)
    assert lived.events > 200
    assert lived.questions > 60


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_what_went_wrong_once_is_right(empty_database: EmptyDatabase, path: Path) -> None:
    live(msgspec.json.decode(path.read_bytes(), type=Life), empty_database(), questions=12)


@pytest.mark.some(4)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_is_put_back_is_found(empty_database: EmptyDatabase, fault: str) -> None:
    seed, events = FOUND_BY[fault]
    with pytest.raises(Mismatch):
        live(write_life(seed, events=events), empty_database(), audits=6, fault=fault)


def test_a_life_is_told_by_its_seed() -> None:
    life = write_life(7, events=200)
    assert life == write_life(7, events=200)
    assert life == msgspec.json.decode(msgspec.json.encode(life), type=Life)
    assert life != write_life(8, events=200)
