"""The lanes of the suite: which tests are slow, which start whole systems, and which need a browser."""

from collections.abc import Iterable
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
#: The folders and modules of tests that are slow.
SLOW = (
    "life",
    "citus",
    "apps/events/test_bad_input.py",
    "apps/reports/live/test_live_stream.py",
    "apps/reports/shared/test_long_reports.py",
    "apps/sdks/test_sdk_hostile.py",
    "apps/up/test_first_key.py",
    "apps/commands",
    "db/expiry",
    "db/reports",
    "db/rollups",
    "db/store",
    "actors/test_worker_port.py",
    "actors/test_flusher_outages.py",
)
#: Folders whose tests have a marker of the same name.
MARKED = ("system", "browser")


def mark(items: Iterable[pytest.Item]) -> None:
    """Give each test the marker of its lane."""
    for item in items:
        path = item.path.relative_to(TESTS)
        if path.parts[0] in MARKED:
            item.add_marker(path.parts[0])
        elif path.as_posix().startswith(SLOW):
            item.add_marker("slow")
