"""Behind a pooler in transaction mode a connection is ours for a transaction only: nothing may be left on it."""

import ast
import re
from pathlib import Path

import psycopg
import pytest

from db.connections import pools
from db.queries import QUERIES

ROOT = Path(__file__).parent.parent.parent
#: What stays on a connection after its transaction.
SESSION_STATE = re.compile(
    r"pg_(try_)?advisory_lock|\blisten\b|\bprepare \w|\btemp(orary)? (table|view)|\bset session\b|with hold"
    r"|set_config\([^)]*, false\)",
    re.I,
)
#: What PgBouncer keeps for each of its clients, whichever connection it gives them (with `track_extra_parameters`).
KEPT_BY_POOLERS = {"client_encoding", "datestyle", "timezone", "standard_conforming_strings", "intervalstyle"}
FILES = [*sorted((ROOT / "sql").rglob("*.sql")), *sorted((ROOT / "db").rglob("*.py"))]


#: Who makes connections: for commands and migrations, and one that is closed at once.
MAKERS = {"db/connections/pools.py connect", "db/connections/pools.py probe"}


def test_connections_are_made_in_one_place() -> None:
    found = set()
    for path in (path for room in ("db", "actors", "apps") for path in sorted((ROOT / room).rglob("*.py"))):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                made = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
                if any(re.fullmatch(r"(psycopg|(psycopg\.)?(Async)?Connection)\.connect", one) for one in made):
                    found.add(f"{path.relative_to(ROOT)} {function.name}")
    assert found == MAKERS


def test_no_connection_prepares_statements(database_url: str) -> None:
    with pools.connect(database_url) as conn:
        assert conn.prepare_threshold is None
    for pool in (pools.write_pool(database_url, connections=1), pools.read_pool(database_url, connections=1)):
        assert isinstance(pool.kwargs, dict)
        assert pool.kwargs["prepare_threshold"] is None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_outlives_its_transaction(path: Path) -> None:
    text = re.sub(r"--.*|#.*", "", path.read_text())
    assert not (found := SESSION_STATE.search(text)), found


def test_what_is_set_on_a_connection_is_kept_for_its_client_by_a_pooler(database_url: str) -> None:
    set_here = dict(re.findall(r"^\s*set (\w+) = '?([^';]*?)'?;?$", pools.SESSION, re.M))
    assert len(set_here) == pools.SESSION.count("set ")
    assert set(set_here) <= KEPT_BY_POOLERS
    with pools.connect(database_url) as conn:
        for name, value in set_here.items():
            assert conn.execute("select current_setting(%s)", [name]).fetchone() == (value,)
        assert conn.info.encoding == "utf-8"


def test_only_transactions_state_more(database_url: str) -> None:
    for text in (pools.BEGIN, pools.BEGIN_WRITING):
        assert text.strip().startswith("begin isolation level ")
        assert not re.search(r"\bset (?!local)", text)
    with pools.connect(database_url) as conn:
        conn.execute("set synchronous_commit = off")
        query = "select current_setting('transaction_isolation'), current_setting('synchronous_commit')"
        with pools.writing(conn), pools.writing(conn):
            assert conn.execute(query).fetchone() == ("read committed", "on")
        assert conn.execute("show synchronous_commit").fetchone() == ("off",)


def test_what_fails_in_a_transaction_is_undone_and_the_connection_goes_on(database_url: str) -> None:
    with pools.connect(database_url) as conn:
        query = "with made as (insert into sites (site_id) values ('undone') returning 0 as n) select 1 / n from made"
        with pytest.raises(psycopg.errors.DivisionByZero), pools.writing(conn):
            conn.execute(query)
        assert conn.execute("select 1 from sites where site_id = 'undone'").fetchall() == []


def test_no_query_sets_anything() -> None:
    assert not [name for name, text in QUERIES.items() if re.search(rb"^set\b", re.sub(rb"--.*", b"", text).strip())]
