"""CI fails for a known vulnerability of a dependency, and not for want of a network."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.checks.audit import judge

ROOT = Path(__file__).parent.parent.parent
GOOD: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
BAD: dict[str, Any] = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN: dict[str, Any] = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("dependencies", "text", "failed"),
    [
        ([GOOD, GOOD, UNKNOWN], "2 packages have no known vulnerability", False),
        ([GOOD, BAD], "b 2: PYSEC-1, fixed in 3", True),
        ([UNKNOWN, UNKNOWN, BAD], "b 2: PYSEC-1, fixed in 3", True),
        ([UNKNOWN, UNKNOWN], "NOT RUN: pip-audit, of 2 packages, 0 are known there", False),
        ([], "NOT RUN: pip-audit, of 0 packages, 0 are known there", False),
    ],
)
def test_what_it_finds_decides(dependencies: list[dict[str, Any]], text: str, failed: bool) -> None:
    assert judge(json.dumps({"dependencies": dependencies, "fixes": []}), "") == (text, failed)


@pytest.mark.parametrize("output", ["", "null", "{}", "Traceback"])
def test_without_an_answer_it_is_not_run(output: str) -> None:
    assert judge(output, "a\nConnectionError: no route to host\n") == (
        "NOT RUN: pip-audit, ConnectionError: no route to host",
        False,
    )


def test_ci_runs_it() -> None:
    assert "-m tests.checks.audit" in (ROOT / ".ci" / "run").read_text()
