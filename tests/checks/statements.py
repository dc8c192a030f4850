"""Reading SQL as far as the rules for Citus need it: the statements of a function, the tables and functions in one."""

import re
from collections.abc import Iterator, Mapping

COMMENT = re.compile(r"--[^\n]*")
TEXT = re.compile(r"'(?:[^']|'')*'")
#: Lines between which PL/pgSQL has statements, when no parenthesis is open.
BOUNDARY = re.compile(r"(?:.*\b(?:then|loop)|begin|else|declare|exception)$|^end\b.*")
#: What may stand before a value, or behind a table that has no other name.
WORDS = {
    "select",
    "distinct",
    "all",
    "by",
    "and",
    "or",
    "not",
    "when",
    "then",
    "else",
    "on",
    "where",
    "for",
    "set",
    "values",
    "order",
    "group",
    "cross",
    "left",
    "full",
    "inner",
    "join",
    "using",
    "returning",
    "limit",
    "offset",
    "union",
    "having",
    "into",
    "as",
}
EMPTY_EXISTS = re.compile(r"\bexists\s*\(\s*select\s+from\b")
#: What may not be in a statement that changes tables on nodes: the clock, within a value that depends on others.
CLOCK_INSIDE = re.compile(r"\bcoalesce\s*\((?:[^()]|\([^()]*\))*\bnow\(\)")


def statements(body: str) -> Iterator[str]:
    """The statements of a body in PL/pgSQL, without comments and texts; a condition is one too."""
    parts: list[str] = []
    depth = 0
    for line in TEXT.sub("''", COMMENT.sub("", body)).splitlines():
        parts.append(line)
        depth += line.count("(") - line.count(")")
        ends = line.rstrip()
        if depth == 0 and (ends.endswith(";") or BOUNDARY.match(ends.strip())):
            yield "\n".join(parts)
            parts = []
    if parts:
        yield "\n".join(parts)


def tables_in(statement: str, tables: frozenset[str]) -> dict[str, str]:
    """The tables that a statement names, by its names for them. What a `with` calls like a table is none."""
    named = set(re.findall(r"(\w+) as (?:not )?(?:materialized )?\(", statement))
    found = re.findall(
        rf"\b(?:from|join|into|update|using)\s+(\w+)(?:\s+(?:as\s+)?(?!(?:{'|'.join(WORDS)})\b)(\w+))?", statement
    )
    return {alias or table: table for table, alias in found if table in tables - named}


def calls_in(statement: str) -> set[str]:
    """The functions that a statement calls, and some words that stand before a parenthesis as well."""
    return set(re.findall(r"\b(\w+)\s*\(", statement))


def whole_rows_in(statement: str, tables: frozenset[str]) -> list[str]:
    """The names by which a statement takes a table's row as one value."""
    found = []
    for name, table in tables_in(statement, tables).items():
        if name == table or name in WORDS:
            continue
        # Where it stands behind a table, a subquery or a function it is only given there.
        uses = re.finditer(rf"(?:(\w+)|\))?\s*(?:\bas\s+)?(?<![\w.]){name}\b(?!\s*[.(])", statement)
        if any(not use[0].lstrip().startswith(")") and (use[1] or "select") in WORDS for use in uses):
            found.append(name)
    return found


def readers(bodies: Mapping[str, str], tables: frozenset[str]) -> set[str]:
    """The functions that read or write tables, or call one that does."""
    found = {name for name, body in bodies.items() if any(tables_in(one, tables) for one in statements(body))}
    while more := {name for name, body in bodies.items() if name not in found and calls_in(body) & found}:
        found |= more
    return found
