"""No test patches a global of a module: what it needs otherwise it makes, or gives where things are wired."""

import ast
from collections import ChainMap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

#: Globals of others that have no other way, and the one place where each is patched.
ALLOWED = {
    "dramatiq.worker.CONSUMER_RESTART_DELAY_SECS": "tests/conftest.py",  # a worker has no arguments for these
    "dramatiq.worker.POST_PROCESS_MESSAGE_RETRY_DELAY_SECS": "tests/conftest.py",
    "msgspec.json.encode": "tests/apps/reports/shared/test_responses.py",  # it notes how often a report is encoded
}
#: No module's: it is for the processes that tests start.
ENVIRONMENT = "os.environ"
#: Functions that change their first argument, or what it names; and methods that change what they are called on.
PATCHES = {"setattr", "delattr", "__setattr__", "__delattr__", "setitem", "delitem"}
CHANGES = {"append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def patched(code: str) -> set[str]:
    """The globals of other modules that this code changes, by their whole names."""
    return set(_changed(ast.parse(code), ChainMap())) - {"", ENVIRONMENT}


def _changed(node: ast.AST, known: ChainMap[str, str]) -> Iterator[str]:
    """`known`: what a name stands for, if it is imported or a part of what is; an empty text if it is anything else."""
    aliases: dict[str, str] = {}
    match node:
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                module = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
                is_whole = alias.asname or isinstance(node, ast.ImportFrom)
                known[alias.asname or alias.name.partition(".")[0]] = module if is_whole else module.partition(".")[0]
                yield module if "mock" in module.split(".") else ""
        case (
            ast.arg(arg=name)  # a fixture, say
            | ast.Name(id=name, ctx=ast.Store())
            | ast.FunctionDef(name=name)
            | ast.AsyncFunctionDef(name=name)
            | ast.ClassDef(name=name)
        ):
            known[name] = ""
        case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
            yield _whole(node, known)
        case ast.Assign():
            aliases = {one.id: _whole(node.value, known) for one in node.targets if isinstance(one, ast.Name)}
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=args):
            match args:
                case [ast.Constant(str(whole)), *_] if name in PATCHES:
                    yield whole
                case [of, ast.Constant(str(part)), *_] if name in PATCHES and (whole := _whole(of, known)):
                    yield f"{whole}.{part}"
                case [of, *_] if name in PATCHES:
                    yield _whole(of, known)
            if name in CHANGES and isinstance(node.func, ast.Attribute):
                yield _whole(node.func.value, known)
    inner = known.new_child() if isinstance(node, SCOPES) else known
    for child in ast.iter_child_nodes(node):
        yield from _changed(child, inner)
    known.update(aliases)


def _whole(node: ast.expr, known: ChainMap[str, str]) -> str:
    match node:
        case ast.Name():
            return known.get(node.id, "")
        case ast.Attribute():
            whole = _whole(node.value, known)
            return whole and f"{whole}.{node.attr}"
        case ast.Subscript():
            return _whole(node.value, known)
    return ""


def test_no_test_patches_a_global() -> None:
    paths = sorted((ROOT / "tests").rglob("*.py"))
    found = {(name, str(path.relative_to(ROOT))) for path in paths for name in patched(path.read_text())}
    assert found == set(ALLOWED.items())


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("monkeypatch.setattr('db.connections.pools.WAIT', 0.2)", "db.connections.pools.WAIT"),
        ("from apps.web import body\ndef test(patch): patch.setattr(body, 'MOST', 1)", "apps.web.body.MOST"),
        ("import apps.web as web\nsetattr(web, 'MOST', 1)", "apps.web.MOST"),
        ("import apps.web as web\nfor name in (): setattr(web, name, 1)", "apps.web"),
        ("import actors\nactors.events.actor.options['x'] = 1", "actors.events.actor.options"),
        ("def test():\n  from a import B\n  monkeypatch.setattr(B, 'run', print)", "a.B.run"),
        ("from db.queries import QUERIES\ntexts = QUERIES\ntexts.update(x=1)", "db.queries.QUERIES"),
        ("from actors.broker import broker\nwith x: broker.middleware = []", "actors.broker.broker.middleware"),
        ("from actors.broker import broker\ndel broker.middleware[0], x", "actors.broker.broker.middleware"),
        ("from unittest import mock", "unittest.mock"),
        ("from unittest.mock import patch", "unittest.mock.patch"),
    ],
)
def test_a_patch_is_seen(code: str, found: str) -> None:
    assert patched(code) == {found}


@pytest.mark.parametrize(
    "code",
    [
        "from apps.reporting import app\ndef test(app): app.limit = 1",
        "from actors.broker import broker\ndef test():\n  broker = make()\n  monkeypatch.setattr(broker, 'x', 1)",
        "from apps.web import body\nlimits = body.Limits(most=1)\nlimits.most = 2",
        "import os\nos.environ['DATABASE_URL'] = ''\nmonkeypatch.setenv('AUTH', 'off')",
    ],
)
def test_what_a_test_has_made_or_was_given_is_its_own(code: str) -> None:
    assert patched(code) == set()
