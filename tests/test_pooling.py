"""Behind a pooler in transaction mode a connection is ours for a transaction only: nothing may be left on it."""

import re
from pathlib import Path

import psycopg
import pytest

from db import pools
from db.migrations import migrate
from db.queries import QUERIES

ROOT = Path(__file__).parent.parent
#: What stays on a connection after its transaction.
SESSION_STATE = re.compile(
    r"pg_(try_)?advisory_lock|\blisten\b|\bprepare \w|\btemp(orary)? (table|view)|\bset session\b|with hold"
    r"|set_config\([^)]*, false\)",
    re.I,
)
FILES = [*sorted((ROOT / "sql").rglob("*.sql")), *sorted((ROOT / "db").rglob("*.py"))]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The `prepare_threshold` of each connection that is made."""
    thresholds = []
    connect = psycopg.Connection.connect

    def noting(*args: object, **kwargs: object) -> object:
        thresholds.append(kwargs.get("prepare_threshold", "not given"))
        return connect(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(psycopg, "connect", noting)
    return thresholds


def test_no_connection_prepares_statements(database_url: str, given: list[object]) -> None:
    migrate(database_url)
    pools.connect(database_url).close()
    assert given == [None, None]
    for pool in (pools.write_pool(database_url, connections=1), pools.read_pool(database_url, connections=1)):
        assert isinstance(pool.kwargs, dict)
        assert pool.kwargs["prepare_threshold"] is None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_outlives_its_transaction(path: Path) -> None:
    text = re.sub(r"--.*|#.*", "", path.read_text())
    assert not (found := SESSION_STATE.search(text)), found


def test_no_query_sets_anything() -> None:
    assert not [name for name, text in QUERIES.items() if re.search(rb"^set\b", re.sub(rb"--.*", b"", text).strip())]
