"""The text of all SQL that runs: files and the newest definitions of functions; and finding one's way in it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from db.queries import FOLDER
from tests.conftest import Connection


class Call(NamedTuple):
    """A function called in a text."""

    where: str
    """The file, or the function that has it."""
    name: str
    arguments: str

    @property
    def key(self) -> tuple[str, str]:
        return self.where, f"{self.name}({self.arguments})"


def all_sql(conn: Connection) -> dict[str, str]:
    """Text by file or function, without comments and with empty strings, its white space single."""
    texts = {
        path.relative_to(FOLDER).with_suffix("").as_posix(): path.read_text()
        for path in FOLDER.glob("*/*.sql")
        if path.parent.name != "migrations"
    }
    functions = conn.execute(
        """
        select proname, pg_get_functiondef(p.oid)
        from pg_proc p
        where pronamespace = current_schema()::regnamespace and prokind = 'f'
        """
    )
    return {name: plain(text) for name, text in (texts | dict(functions.fetchall())).items()}


def plain(text: str) -> str:
    parts = r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<parameter>:'\w+')|(?P<text>'(?:[^']|'')*')"

    def replaced(match: re.Match[str]) -> str:
        return " " if match["comment"] else match["parameter"][2:-1] if match["parameter"] else "''"

    return " ".join(re.sub(parts, replaced, text, flags=re.DOTALL).lower().split())


def calls(where: str, text: str, names: str) -> Iterator[Call]:
    for match in re.finditer(rf"\b({names}) ?\(", text):
        yield Call(where, match[1], inside(text, match.end()))


def inside(text: str, start: int) -> str:
    """What is between a parenthesis that was opened just before and the one that closes it."""
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if not depth:
            return text[start:place].strip()
    raise AssertionError(f"a parenthesis is not closed: {text[start - 40 : start + 40]}")


def top_level(text: str) -> str:
    """The same without what is in parentheses."""
    kept, depth = [], 0
    for letter in text:
        depth += letter == "("
        kept.append(letter if not depth else "")
        depth -= letter == ")"
    return "".join(kept)


def queries(text: str) -> Iterator[str]:
    """What is outside of parentheses, and in each pair of them: each query, those in it left out."""
    for statement in text.split(";"):
        yield top_level(statement)
        for place, letter in enumerate(statement):
            if letter == "(" and re.match(r"\( ?(select|with|\()", statement[place:]):
                yield top_level(inside(statement, place + 1))
