"""The file `.env`: what is in single quotes is literal, and a line that cannot be read is named."""

from pathlib import Path

import pytest

from db.env_file import read_env_file
from db.settings import load

TEXT = r"""
export A='a${HOME}c' # a comment
B="b${A}"
C = ${B:-x}${NOT_SET:-d}
D=
E
F='two
lines${A}'
"""


def test_it_is_read_as_a_shell_would(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"\ufeff{TEXT}", encoding="utf-8")
    read = {"A": "a${HOME}c", "B": "ba${HOME}c", "C": "ba${HOME}cd", "F": "two\nlines${A}"}
    assert read_env_file(tmp_path / ".env") == read


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"A=1\nREDIS_URL='redis://secret\n", 2),
        (b"A=1\n\n\nPG_PASSWORD: secret\n", 4),
        (b"A=1\n# more\nB='x' secret\n", 3),
        (b"A=1\nB=2\nPG_PASSWORD=secret\xff\n", 3),
    ],
    ids=["no end", "no equals sign", "more behind it", "no UTF-8"],
)
def test_a_line_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, line: int
) -> None:
    (tmp_path / ".env").write_bytes(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=rf"\.env cannot be read: line {line} ") as error:
        load()
    assert "secret" not in str(error.value)
