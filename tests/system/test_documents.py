"""What the OpenAPI documents promise, tried by Schemathesis with thousands of good and bad requests on real sockets:
no 5xx, and nothing that is not documented: no status, content type, header or body."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.servers.key import AUTHORIZED, BEARER
from tests.servers.serving import serve

# Neither app is ready without a worker.
pytestmark = pytest.mark.usefixtures("worker")

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "tests" / "schemathesis.toml"
SCHEMATHESIS = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "--no-color"]
#: Cases that each document is tried with, at least, in so many runs: two at a time, and more cases than some hundred
#: in one are slow.
CASES, RUNS = 1_200, 4
#: Paths that never end their answer, which Schemathesis would wait for.
ENDLESS = ["/live/stream"]
#: Paths with a number of cases of their own, in schemathesis.toml.
LIMITED = ["/events"]


def test_the_apps_keep_what_their_documents_promise(database_url: str, tmp_path: Path) -> None:
    with (
        serve("ingestion", tmp_path) as ingestion,
        serve("reporting", tmp_path) as reporting,
        ThreadPoolExecutor(2) as threads,
    ):
        for counts in [
            [threads.submit(cases_passed, app.url, folder=tmp_path, run=run) for run in range(RUNS)]
            for app in (ingestion, reporting)
        ]:
            assert sum(count.result() for count in counts) >= CASES


def cases_passed(url: str, *, folder: Path, run: int) -> int:
    """How many cases an app was tried with; AssertionError where one failed."""
    report = folder / f"{url.rpartition(':')[2]}-{run}.json"
    options = [
        f"--phases={'fuzzing' if run else 'examples,coverage,fuzzing'}",
        f"--max-examples={-(-CASES // RUNS // varied_operations(url))}",
        f"--report-json-path={report}",
        f"--header={BEARER}",
        *(f"--exclude-path={path}" for path in ENDLESS),
    ]
    done = subprocess.run(
        [*SCHEMATHESIS, "run", f"{url}/schema/openapi.json", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(json.loads(report.read_text())["test_cases"]["generated"])


def varied_operations(url: str) -> int:
    """How many operations take anything by which requests can differ, those apart that are limited."""
    paths = httpx.get(f"{url}/schema/openapi.json", headers=AUTHORIZED).json()["paths"]
    return sum(
        bool(operation.get("parameters") or "requestBody" in operation)
        for path, operations in paths.items()
        if path not in ENDLESS + LIMITED
        for operation in operations.values()
    )
