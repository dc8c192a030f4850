"""The lanes of the suite: which tests are slow, which start whole systems, and which need a browser."""

from collections.abc import Iterable
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
#: The folders and modules of tests that are slow.
SLOW = (
    "actors",
    "apps/access/test_caching.py",
    "apps/access/test_proxy_users.py",
    "apps/access/test_snapshots.py",
    "apps/backup",
    "apps/commands",
    "apps/dead_letters/test_dead_letter_commands.py",
    "apps/events/test_bad_input.py",
    "apps/events/test_bad_json.py",
    "apps/events/test_bad_requests.py",
    "apps/importing",
    "apps/keys/test_limits.py",
    "apps/keys/test_passwords.py",
    "apps/keys/test_visible.py",
    "apps/keys/test_who_may.py",
    "apps/monitoring",
    "apps/people",
    "apps/reports/live",
    "apps/reports/shared/test_long_reports.py",
    "apps/reports/test_raw_events.py",
    "apps/sdks/test_sdk_hostile.py",
    "apps/sdks/test_sdk_visitors.py",
    "apps/server",
    "apps/up/test_first_key.py",
    "apps/web/test_examples.py",
    "apps/web/test_head_requests.py",
    "apps/web/test_response_headers.py",
    "apps/web/test_unknown_paths.py",
    "citus",
    "db/expiry",
    "db/people",
    "db/reports",
    "db/rollups",
    "db/schema",
    "db/sites",
    "db/store",
    "db/test_event_stored.py",
    "db/test_given.py",
    "db/test_tls.py",
    "life",
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
