"""The house stays as it was drawn: what lies where, and which way imports point."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.checks.lanes import SLOW

ROOT = Path(__file__).parent.parent.parent

#: Who may import whom, besides itself.
ALLOWED = {"apps": {"actors", "db"}, "actors": {"db"}, "db": set[str]()}
#: Each room, and the rooms of its own package that it may import. A module at a package's root is a room by itself, and
#: may import what its line says; those that are not here import none.
ROOMS = {
    "apps.__main__": {"apps.cli"},
    "apps.cli": {"apps.commands", "apps.commands.access", "apps.commands.shared", "apps.up"},
    "apps.ingestion": {
        "apps.access", "apps.events", "apps.monitoring", "apps.sdks", "apps.sdks.shared", "apps.server", "apps.web",
    },
    "apps.reporting": {
        "apps.access", "apps.dead_letters", "apps.importing", "apps.keys", "apps.ledger", "apps.monitoring",
        "apps.people", "apps.reporting_resources", "apps.reports", "apps.reports.sales", "apps.reports.shared",
        "apps.server", "apps.sites", "apps.web",
    },
    "apps.reporting_resources": {"apps.monitoring"},
    "apps.access": {"apps.web"},
    "apps.keys": {"apps.access", "apps.reporting_resources", "apps.web"},
    "apps.commands.access": {"apps.commands.shared", "apps.people", "apps.reporting_resources"},
    "apps.backup": {"apps.up.embedded"},
    "apps.commands": {
        "apps.backup", "apps.commands.shared", "apps.dead_letters", "apps.importing", "apps.importing.files",
        "apps.importing.rows", "apps.reporting_resources", "apps.up", "apps.up.processes", "apps.web",
    },
    "apps.commands.shared": {
        "apps.reporting_resources", "apps.up", "apps.up.embedded", "apps.up.processes", "apps.web",
    },
    "apps.dead_letters": {"apps.access", "apps.events", "apps.reporting_resources", "apps.web"},
    "apps.events": {"apps.access", "apps.monitoring", "apps.origins", "apps.web"},
    "apps.importing": {
        "apps.access", "apps.events", "apps.importing.files", "apps.importing.rows", "apps.origins",
        "apps.reporting_resources", "apps.web",
    },
    "apps.importing.files": {"apps.events", "apps.origins", "apps.sdks.shared"},
    "apps.importing.rows": {"apps.events", "apps.importing.files", "apps.origins"},
    "apps.ledger": {"apps.access", "apps.events", "apps.reporting_resources", "apps.web"},
    "apps.monitoring": {"apps.access", "apps.web"},
    "apps.origins": {"apps.access"},
    "apps.people": {"apps.access", "apps.reporting_resources", "apps.reports.shared", "apps.web"},
    "apps.reports": {"apps.access", "apps.reporting_resources", "apps.reports.shared", "apps.web"},
    "apps.reports.sales": {"apps.reports.shared"},
    "apps.reports.shared": {"apps.access", "apps.reporting_resources", "apps.web"},
    "apps.sdks": {
        "apps.access", "apps.sdks.pages", "apps.sdks.plausible", "apps.sdks.posthog", "apps.sdks.segment",
        "apps.sdks.shared", "apps.sdks.umami",
    },
    "apps.sdks.pages": {"apps.events", "apps.origins", "apps.sdks.shared", "apps.web"},
    "apps.sdks.plausible": {"apps.events", "apps.origins", "apps.sdks.shared", "apps.web"},
    "apps.sdks.posthog": {"apps.events", "apps.origins", "apps.sdks.shared", "apps.web"},
    "apps.sdks.segment": {"apps.events", "apps.origins", "apps.sdks.shared", "apps.web"},
    "apps.sdks.shared": {"apps.access", "apps.events", "apps.origins", "apps.web"},
    "apps.sdks.umami": {"apps.events", "apps.origins", "apps.sdks.shared", "apps.web"},
    "apps.server": {"apps.web"},
    "apps.sites": {"apps.access", "apps.reporting_resources", "apps.reports.shared", "apps.web"},
    "apps.up": {"apps.monitoring", "apps.up.embedded", "apps.up.processes"},
    "apps.up.embedded": {"apps.up.processes"},
    "actors.__init__": {
        "actors.access", "actors.dead_letters", "actors.events", "actors.imports", "actors.maintenance",
        "actors.people", "actors.sites",
    },
    "actors.access": {"actors.broker", "actors.durable", "actors.queue", "actors.worker"},
    "actors.broker": {"actors.durable", "actors.queue", "actors.worker"},
    "actors.dead_letters": {"actors.queue_names", "actors.broker", "actors.metrics", "actors.queue", "actors.worker"},
    "actors.durable": {"actors.metrics"},
    "actors.events": {"actors.queue_names", "actors.broker", "actors.queue", "actors.worker"},
    "actors.imports": {"actors.queue_names", "actors.broker", "actors.maintenance", "actors.queue"},
    "actors.maintenance": {
        "actors.queue_names", "actors.broker", "actors.durable", "actors.metrics", "actors.people", "actors.queue",
        "actors.worker",
    },
    "actors.limits": {"actors.queue"},
    "actors.people": {"actors.queue_names", "actors.broker", "actors.queue"},
    "actors.queue": {"actors.queue_names", "actors.durable"},
    "actors.sites": {"actors.queue_names", "actors.broker", "actors.maintenance", "actors.queue"},
    "actors.worker": {"actors.queue_names", "actors.durable", "actors.metrics"},
    "db.access": {"db.connections", "db.queries", "db.settings"},
    "db.backups": {"db.queries"},
    "db.cursors": {"db.events"},
    "db.dead_letters": {"db.connections", "db.cursors", "db.events", "db.people", "db.queries", "db.store"},
    "db.expiry": {"db.connections", "db.queries"},
    "db.ledger": {"db.connections", "db.events", "db.queries"},
    "db.logs": {"db.settings"},
    "db.migrations": {"db.connections", "db.queries", "db.sites"},
    "db.people": {"db.connections", "db.events", "db.queries"},
    "db.reports": {"db.connections", "db.cursors", "db.events", "db.queries", "db.reports.shared"},
    "db.reports.sales": {"db.events", "db.reports", "db.reports.shared"},
    "db.reports.visits": {"db.events", "db.reports", "db.reports.shared"},
    "db.reports.shared": {"db.connections", "db.events", "db.queries", "db.sites"},
    "db.rollups": {"db.connections", "db.queries"},
    "db.settings": {"db.env_file", "db.settings_sources"},
    "db.settings_sources": {"db.addresses"},
    "db.sites": {"db.access", "db.connections", "db.queries"},
    "db.store": {"db.connections", "db.events", "db.people", "db.queries"},
}  # fmt: skip
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
#: Modules in a folder, its __init__.py among them, so that one sees them all at a look.
MOST_MODULES = 14

FILES = [path for package in ALLOWED for path in sorted((ROOT / package).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, by their whole names."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if is_ours(whole) else node.module


def is_ours(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def room(module: str) -> str:
    """The folder that a module is in; a module at a package's root is a room by itself."""
    if ROOT.joinpath(*module.split(".")).is_dir():
        return module
    folder = module.rpartition(".")[0]
    return module if folder in ALLOWED else folder


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_one_way_and_each_technology_stays_at_home(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for imported in (module.split(".")[0] for module in imports(path)):
        assert imported not in ALLOWED or imported == package or imported in ALLOWED[package]
        assert HOMES.get(imported, package) == package
        assert imported != "tests"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_rooms_import_those_of_the_table_only(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    own = room(module)
    rooms = {room(imported) for imported in imports(path) if imported.split(".")[0] == module.split(".")[0]}
    assert rooms - {own} <= ROOMS.get(own, set())


def test_the_table_has_no_circles() -> None:
    left = {each: set(others) for each, others in ROOMS.items()}
    while left:
        ends = {each for each, others in left.items() if not others & left.keys()}
        assert ends, f"a circle among {sorted(left)}"
        left = {each: others for each, others in left.items() if each not in ends}


@pytest.mark.parametrize("path", FILES + TESTS, ids=name)
def test_a_file_can_be_read_in_a_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES + TESTS}), ids=name)
def test_a_folder_can_be_seen_at_a_look(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= MOST_MODULES


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_module_opens_with_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree(path))


@pytest.mark.parametrize("path", SLOW)
def test_what_is_marked_as_slow_is_there(path: str) -> None:
    assert (ROOT / "tests" / path).exists()


def test_the_top_level_is_that_of_the_design_card() -> None:
    ignored = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    assert {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - ignored <= CARD | {"__pycache__"}


def test_sql_is_kept_in_sql_files() -> None:
    assert not list((ROOT / "sql").rglob("*.py"))
