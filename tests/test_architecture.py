"""The house stays as it was drawn: what lies where, and which way imports point."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Who may import whom, besides itself.
ALLOWED = {"apps": {"actors", "db"}, "actors": {"db"}, "db": set[str]()}
#: Each technology has one home.
HOMES = {
    "litestar": "apps",
    "uvicorn": "apps",
    "click": "apps",
    "rich": "apps",
    "httpx": "apps",
    "dramatiq": "actors",
    "redis": "actors",
    "psycopg": "db",
    "psycopg_pool": "db",
}
CARD = {
    "apps", "actors", "db", "sql", "tests", "pyproject.toml", "Dockerfile", "docker-compose.yml", "README.md",
    "LICENSE", "CHANGELOG.md", "uv.lock",
}  # fmt: skip


def imports(path: Path) -> Iterator[str]:
    """The top-level packages that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


FILES = [path for package in ALLOWED for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way_and_each_technology_stays_at_home(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for imported in imports(path):
        assert imported not in ALLOWED or imported == package or imported in ALLOWED[package]
        assert HOMES.get(imported, package) == package
        assert imported != "tests"


@pytest.mark.parametrize(
    "path", FILES + sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_file_can_be_read_in_a_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


def test_the_top_level_is_that_of_the_design_card() -> None:
    ignored = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    assert {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - ignored <= CARD | {"__pycache__"}


def test_sql_is_kept_in_sql_files() -> None:
    assert not list((ROOT / "sql").rglob("*.py"))
