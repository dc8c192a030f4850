"""What CONTRIBUTING names is there: its files, and its classes, functions and constants."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
#: Names of the recipe's example, and of others than ours.
NOT_OURS = {"Hello", "HelloQuery", "None", "ETag", "Caddyfile"}
#: Parts of paths that stand for any, and of examples.
PLACEHOLDERS = re.compile(r"hello|totals|NNNN|[<>*{}]|\bX\b|_X\b")
FILES = sorted(set(re.findall(r"`([\w./]+\.(?:py|sql|lua|md|tsv|toml|yml|conf))`", TEXT)))
NAMES = sorted(set(re.findall(r"`([A-Z]\w*[a-z]\w*|[A-Z][A-Z_]{3,})`", TEXT)) - NOT_OURS)


#: Words that the glossary has others for, as far as a text that has them is always wrong.
NOT_THESE = re.compile(r"\b(upkeep|inbox|patience|short way)\b", re.IGNORECASE)


@cache
def _everything() -> tuple[list[str], str]:
    folders = ("apps", "actors", "db", "sql", "tests", ".github")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    paths += [path for path in ROOT.iterdir() if path.is_file()]
    code = "\n".join(path.read_text() for path in paths if path.suffix == ".py")
    return [path.relative_to(ROOT).as_posix() for path in paths], code


@pytest.mark.parametrize("name", [name for name in FILES if not PLACEHOLDERS.search(name)])
def test_each_file_is_there(name: str) -> None:
    paths, _ = _everything()
    assert any(path == name or path.endswith(f"/{name}") for path in paths)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there(name: str) -> None:
    _, code = _everything()
    assert re.search(
        rf"(?:class|def) {name}\b|^{name}\b.* = |^    {name} = |import .*\b{name}\b|\b{name.lower()}:", code, re.M
    )


def test_the_code_has_the_words_of_the_glossary() -> None:
    folders = ("apps", "actors", "db", "sql", "tests")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".sql", ".md")]
    found = {path.relative_to(ROOT).as_posix() for path in paths if NOT_THESE.search(path.read_text())}
    assert found == {"tests/rules/test_contributing.py"}
