"""Why a value is refused, in plain words: msgspec's messages name types and standards that few senders know."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

DAY = "a day such as 2026-01-31"
TIME = "a time with an offset such as 2026-01-31T12:00:00Z"
#: Values of an enum that are named, and characters of a given one that are shown.
NAMED, SHOWN = 20, 40
#: msgspec's names of types.
TYPES = {
    "array": "a list",
    "bool": "true or false",
    "bytes": "base64",
    "date": DAY,
    "datetime": TIME,
    "decimal": "a number",
    "float": "a number",
    "int": "a whole number",
    "null": "null",
    "object": "an object",
    "str": "text",
    "uuid": "a UUID",
}
#: What a value is, where msgspec says which type it got.
GOT = TYPES | {"bool": "a boolean", "float": "a fraction", "int": "a whole number"}
AT_MOST = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def _expected(match: re.Match[str]) -> str:
    return f"should be {_either(match[1])}, not {GOT.get(match[2], match[2])}"


def _either(names: str) -> str:
    """The words for `int | str | null`."""
    words = [TYPES.get(name, name) for name in names.split(" | ")]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


#: The beginnings of msgspec's messages, and what they become.
PLAIN: dict[re.Pattern[str], Callable[[re.Match[str]], str]] = {
    re.compile(pattern): words
    for pattern, words in {
        r"Invalid RFC3339 encoded date(?!time)": lambda _: f"should be {DAY}",
        r"Invalid RFC3339 encoded datetime": lambda _: f"should be {TIME}",
        r"Expected `datetime` with a timezone component": lambda _: f"should be {TIME}",
        r"Invalid epoch timestamp": lambda _: f"should be {TIME}",
        r"Invalid UUID": lambda _: "should be a UUID",
        r"Invalid decimal string": lambda _: "should be a number",
        r"Invalid enum value (.*?)(?= - at |$)": lambda match: f"{_short(match[1])} is not one of the allowed values",
        r"Expected `(?:int|float|decimal)` (>=|<=|>|<) (\S+)": lambda match: (
            f"should be {AT_MOST[match[1]]} {match[2]}"
        ),
        r"Expected `(?:int|float|decimal)` that's a multiple of (\S+)": lambda match: (
            f"should be a multiple of {match[1]}"
        ),
        r"Expected `str` of length (>=|<=) (\d+)": lambda match: _long(AT_MOST[match[1]], match[2], "character"),
        r"Expected `(?:array|object)` of (?:at (?:least|most) )?length (>=|<=) (\d+)": lambda match: _long(
            AT_MOST[match[1]], match[2], "value"
        ),
        r"Expected `([^`]+)`, got `([^`]+)`": _expected,
        r"Expected `([^`]+)`(?= - at |$)": lambda match: f"should be {_either(match[1])}",
        r"Expected `str` matching regex .*?(?= - at |$)": lambda _: "has another form than it should",
        r"Object missing required field `([^`]+)`": lambda match: f"{match[1]} is missing",
        r"Integer value out of range": lambda _: "is too large a number",
        r"Number out of range": lambda _: "is too large a number",
    }.items()
}


def sentence(error: Exception, kind: Any = None) -> str:
    """The text of an error of msgspec or ours, without the position.

    kind: the type of a value that was given as text, as a parameter is.
    """
    if isinstance(error, RecursionError):
        return "is nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return "holds what is not UTF-8, or half of a surrogate pair"
    text = str(error).replace(" - at `$`", "")
    if kind is not None and isinstance(error, msgspec.ValidationError):
        text = re.sub(r", got `str`", "", text)
        if values := _values(kind):
            given = re.match(r"Invalid enum value (.*)", text)
            return f"{_short(given[1])} is not one of {', '.join(values)}" if given else text
        if simple := re.fullmatch(r"Expected `([^`]+)`", text):
            return f"should be {_either(simple[1].removesuffix(' | null'))}"
    for pattern, words in PLAIN.items():
        if match := pattern.match(text):
            return words(match) + text[match.end() :]
    return text


def _values(kind: Any) -> list[str]:
    """The values of an enum, or of a list of them; none for another type."""
    schema = msgspec.json.schema(kind)
    parts = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    return [str(value) for part in parts for value in part.get("enum", ()) if value is not None][:NAMED]


def _short(given: str) -> str:
    return given if len(given) <= SHOWN else given[:SHOWN] + "...'"


def _long(how: str, count: str, what: str) -> str:
    return f"should have {how} {int(count):,} {what}" + ("" if count == "1" else "s")
