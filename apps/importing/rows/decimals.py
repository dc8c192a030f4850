"""Amounts as text: what `--decimal` makes of them, and what the values of a column say about their separators."""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Literal

Decimal = Literal[".", ","]

#: A number with a decimal comma, and one with a decimal point. Digits are grouped by threes, with one separator.
FORMS: dict[Decimal, re.Pattern[str]] = {
    ",": re.compile(r"[+-]?(?:[1-9]\d{0,2}(?:([.' \u00a0\u202f])\d{3}(?:\1\d{3})*)|\d+)(?:,\d*)?", re.ASCII),
    ".": re.compile(r"[+-]?(?:[1-9]\d{0,2}(?:([,' \u00a0\u202f])\d{3}(?:\1\d{3})*)|\d+)(?:\.\d*)?", re.ASCII),
}
BETWEEN_GROUPS = {"'": "", " ": "", "\u00a0": "", "\u202f": ""}
PLAIN: dict[Decimal, dict[int, str]] = {
    ",": str.maketrans({**BETWEEN_GROUPS, ".": "", ",": "."}),
    ".": str.maketrans({**BETWEEN_GROUPS, ",": ""}),
}
NAMES = {",": "comma", ".": "point"}
#: Characters of an amount that are shown.
SHOWN = 40


class Evidence(Enum):
    """What an amount says of its decimal separator."""

    COMMA = ","
    POINT = "."
    EITHER = "either"
    NONE = "none"


def evidence(text: str) -> Evidence:
    """EITHER: its only separator has three digits behind it, and may be between thousands, as in 1.234 or 1,234."""
    text = text.strip()
    with_comma, with_point = (bool(FORMS[decimal].fullmatch(text)) for decimal in (",", "."))
    if with_comma and with_point:
        return Evidence.EITHER if "." in text or "," in text else Evidence.NONE
    return Evidence.COMMA if with_comma else Evidence.POINT if with_point else Evidence.NONE


def as_number(text: str, decimal: Decimal) -> str:
    """The text in the format of numbers if it is an amount with this decimal separator, otherwise unchanged."""
    stripped = text.strip()
    return stripped.translate(PLAIN[decimal]).removesuffix(".") if FORMS[decimal].fullmatch(stripped) else text


class AmountColumns:
    """The evidence in the columns of amounts: of each kind how many values there are, and the first."""

    def __init__(self, decimal: Decimal | None) -> None:
        #: As the option says; None: not given, so that only what is a number as it stands is read.
        self.decimal = decimal
        self.seen: dict[str, dict[Evidence, tuple[int, str]]] = {}

    def add(self, column: str, text: str) -> None:
        """Take a value into account."""
        if (found := evidence(text)) is not Evidence.NONE:
            self._count(column, found, 1, text.strip()[:SHOWN])

    def with_all(self, others: Iterable["AmountColumns"]) -> "AmountColumns":
        """The evidence of several files, whose columns of the same name are one."""
        for other in others:
            self.decimal = other.decimal
            for column, seen in other.seen.items():
                for found, (count, example) in seen.items():
                    self._count(column, found, count, example)
        return self

    def lines(self) -> Iterator[str]:
        """A line for each column whose amounts may be, or are, meant otherwise than they are read."""
        for column, seen in self.seen.items():
            if Evidence.EITHER not in seen:
                continue
            count, example = seen[Evidence.EITHER]
            decided = {kind.value: seen[kind][1] for kind in (Evidence.COMMA, Evidence.POINT) if kind in seen}
            if len(decided) == 1:
                ((decimal, proof),) = decided.items()
                if decimal != (self.decimal or "."):
                    yield (
                        f"column {column!r}: {count:,} amounts such as {example!r} are misread, as others such as "
                        f"{proof!r} have a decimal {NAMES[decimal]}: --decimal {decimal} reads them"
                    )
                elif not self.decimal and "," in example:
                    yield f"column {column!r}: --decimal . reads {count:,} amounts such as {example!r}"
            elif self.decimal is None:
                readings = ", ".join(f"--decimal {one} reads {as_number(example, one)}" for one in (",", "."))
                here = "it is read as it stands" if "." in example else "it is not read"
                yield (
                    f"column {column!r}: ambiguous: {count:,} amounts such as {example!r} have a separator of decimals "
                    f"or of thousands, and the column does not show which: {readings}; without the option {here}"
                )

    def _count(self, column: str, found: Evidence, more: int, example: str) -> None:
        count, first = self.seen.setdefault(column, {}).get(found, (0, example))
        self.seen[column][found] = count + more, first
