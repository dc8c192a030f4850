"""What the OpenAPI documents promise, tried by Schemathesis with thousands of good and bad requests on real sockets:
no 5xx, and nothing that is not documented: no status, content type, header or body."""

import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.checks.thorough import TIMES
from tests.conftest import Connection
from tests.servers.key import AUTHORIZED, BEARER
from tests.servers.serving import serve

# Neither app is ready without a worker.
pytestmark = pytest.mark.usefixtures("worker")

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "tests" / "schemathesis.toml"
SCHEMATHESIS = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "--no-color"]
#: Cases that each document is tried with, at least.
CASES = 500
#: Random examples for each operation, in so many runs, two at a time: beside those that cover its schema, which are the
#: most and in the first run. More than some dozen in one run are slow.
EXAMPLES, RUNS = 6, TIMES
#: So many paths of a document are tried, others in each run of the suite: their schemas cover thousands of cases.
PATHS = {"ingestion": 100, "reporting": 9 * TIMES}
#: Paths that never end their answer, which Schemathesis would wait for.
ENDLESS = ["/live/stream"]


def test_the_apps_keep_what_their_documents_promise(database_url: str, conn: Connection, tmp_path: Path) -> None:
    with (
        serve("ingestion", tmp_path) as ingestion,
        serve("reporting", tmp_path) as reporting,
        ThreadPoolExecutor(2) as threads,
    ):
        for counts in [
            [threads.submit(cases_passed, app.url, paths, folder=tmp_path, run=run) for run in range(RUNS)]
            for name, app in (("ingestion", ingestion), ("reporting", reporting))
            for paths in [some_paths(app.url, PATHS[name])]
        ]:
            assert sum(count.result() for count in counts) >= CASES
    # Each case is invented, also what it deletes: an id that an answer told would be that of what other tests use.
    assert conn.execute("select true from keys where name = 'ADMIN_KEY' and revoked_at is not null").fetchall() == []


def some_paths(url: str, number: int) -> list[str]:
    """So many paths of an app's document, by chance."""
    document = httpx.get(f"{url}/schema/openapi.json", headers=AUTHORIZED, timeout=30).json()
    paths = [path for path in document["paths"] if path not in ENDLESS]
    return random.sample(paths, min(number, len(paths)))


def cases_passed(url: str, paths: list[str], *, folder: Path, run: int) -> int:
    """How many cases an app was tried with; AssertionError where one failed."""
    report = folder / f"{url.rpartition(':')[2]}-{run}.json"
    options = [
        f"--phases={'fuzzing' if run else 'examples,coverage,fuzzing'}",
        f"--max-examples={EXAMPLES}",
        f"--report-json-path={report}",
        f"--header={BEARER}",
        *(f"--include-path={path}" for path in paths),
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
