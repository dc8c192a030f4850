"""Tolerant parsing of invalid JSON, as clients send it: `take_apart(body, list[Raw])`, `read(raw)`.

Valid JSON costs nothing more. In invalid JSON, faults within a value are repaired, and a body is split into its parts
by its brackets alone, so that only invalid parts are lost. This takes time proportional to the length of the text, and
is given up if there are more faults than any honest client has.
"""

import math
import re
import sys
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from db.events.not_utf8 import ILL, REPLACEMENT, text_of, without_ill
from db.events.numbers import decoder

_decode = decoder().decode

Kind = TypeVar("Kind")

#: What decoding raises: invalid JSON, UTF-8 and values are ValueErrors; too deep nesting is a RecursionError.
UNREADABLE = (ValueError, RecursionError)

#: Replaces a number that JSON does not have, such as NaN: a number, so that it is not mistaken for text.
UNKEPT = sys.float_info.max
UNKEPT_TEXT = repr(UNKEPT)
#: The same while a body is split: it is out of range, so a part that contains it cannot be read before it is repaired.
OUT_OF_RANGE = "1e999"

#: Placeholders for an escaped backslash and an escaped quote during repair.
BACKSLASH, QUOTE = "\ud800", "\udc00"

#: Limits of repairs in a body and in an event (as many as properties that are kept can have), and of steps to split a
#: body: about 0.1 s each.
MAX_REPAIRS, MAX_EVENT_REPAIRS = 50_000, 20_000
MAX_STEPS = 200_000
#: Levels of a value that needs repair; deeper ones become UNKEPT. Properties may have far fewer, msgspec can read more.
MAX_LEVELS = 64
#: Characters of a number; longer ones are treated as invalid.
MAX_NUMBER = 1_000

#: Half of a surrogate pair, as JavaScript writes it if it cut an emoji in two.
HALF_PAIR = re.compile(
    r"\\u[dD][89abAB][\da-fA-F]{2}(?!\\u[dD][c-fC-F][\da-fA-F]{2})"
    r"|(?<!\\u[dD][89abAB][\da-fA-F]{2})\\u[dD][c-fC-F][\da-fA-F]{2}",
    re.ASCII,
)
NO_ESCAPE = re.compile(r"\\(?![bfnrt/]|u[\da-fA-F]{4})", re.ASCII)
#: Runs that need no repair, then a piece that may need it. Something always matches, so nothing is scanned twice.
PIECES = re.compile(
    r'(?:[^"\w+.-]++'
    r'|"[^"\x00-\x1f]*+"'
    r"|(?:true|false|null)(?![\w+.-])"
    r"|-?[0-9]{1,200}+(?:\.[0-9]{1,200}+)?(?:[eE][+-]?[0-9]{1,2}+)?(?![\w+.-])"
    r")++"
    r'|(?P<text>"[^"]*+")'
    r"|(?P<word>[\w+.-]++)"
    r'|".*+',
    re.DOTALL,
)
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?", re.ASCII)
#: How languages write NaN and infinity, and JavaScript's undefined.
NO_NUMBER = re.compile(r"[+-]?(?:nan|inf(?:inity)?)|undefined", re.IGNORECASE | re.ASCII)
LONGEST_WORD = 9
CONTROLS = {code: f"\\u{code:04x}" for code in range(0x20)}
#: Texts longer than an event may be get blanks instead, as escaping them would be slow.
LONG_TEXT, BLANKS = 64 * 1024, dict.fromkeys(range(0x20), " ")

#: Up to the next bracket or comma, and up to the next run of brackets.
TO_COMMA = re.compile(r'(?:[^"\[\]{},]++|"[^"]*+")*+([\[\]{},])')
TO_BRACKETS = re.compile(r'(?:[^"\[\]{}]++|"[^"]*+")*+([\[{]++|[\]}]++)')
MEMBER = re.compile(r'\s*+"([^"]*+)"\s*+:(.*+)', re.DOTALL)


class TooManyFaults(ValueError):
    """It has more faults than are repaired."""


def take_apart(raw: bytes | msgspec.Raw, kind: type[Kind]) -> Kind:
    """Decode JSON as a type whose parts are Raw, so that each part can be validated by itself.

    Raises ValueError and RecursionError if the whole is not of this type.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        raise
    except UNREADABLE as fault:
        parts = _parts(_with_escapes(raw), array=kind == list[msgspec.Raw])
        if parts is None:
            raise fault from None
        return msgspec.convert(parts, type=kind)


def mended(raw: bytes | msgspec.Raw) -> bytes:
    """JSON with the faults within its values repaired; unusable numbers and what is too deep become UNKEPT, and bytes
    that are not UTF-8 ILL.

    Raises TooManyFaults.
    """
    return _encoded(_shallow(_mended(_with_escapes(raw), number=UNKEPT_TEXT, at_most=MAX_EVENT_REPAIRS)))


def read(raw: bytes | msgspec.Raw) -> Any:
    """The value of JSON that may need repair; unusable numbers become None, and bytes that are not UTF-8 ILL.

    Raises ValueError and RecursionError.
    """
    try:
        return _decode(raw)
    except UNREADABLE:
        return _without_unkept(_decode(mended(raw)))


def _without_unkept(value: Any) -> Any:
    # Recursion is safe: msgspec limits the nesting.
    if isinstance(value, dict):
        return {name: _without_unkept(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_unkept(one) for one in value]
    return None if value == UNKEPT else value


def _with_escapes(raw: bytes | msgspec.Raw) -> str:
    """JSON as text in which every escape is valid, and each quote begins or ends a string.

    Escaped backslashes and quotes are replaced by BACKSLASH and QUOTE, which decoded text cannot contain.
    """
    text = text_of(raw)
    if "\\" not in text:
        return text
    text = text.replace("\\\\", BACKSLASH).replace('\\"', QUOTE)
    return NO_ESCAPE.sub(BACKSLASH, HALF_PAIR.sub(REPLACEMENT, text))


def _encoded(text: str) -> bytes:
    return text.replace(BACKSLASH, "\\\\").replace(QUOTE, '\\"').encode()


def _part(text: str) -> msgspec.Raw:
    """A part that is read by itself: what was not UTF-8 is not again, so that it is not taken for sound."""
    return msgspec.Raw(_encoded(text).replace(ILL.encode(), b"\xff"))


def _shallow(text: str) -> str:
    """JSON with UNKEPT for what is deeper than MAX_LEVELS; unchanged if its brackets do not fit each other."""
    if text.count("[") + text.count("{") <= MAX_LEVELS:
        return text
    pieces: list[str] = []
    depth = begin = place = 0
    cut = False
    for _ in range(MAX_STEPS):
        if (found := TO_BRACKETS.match(text, place)) is None:
            return text if cut or not pieces else "".join([*pieces, text[begin:]])
        place, mark = found.end(), found[1]
        depth += len(mark) if mark[0] in "[{" else -len(mark)
        if not cut and depth > MAX_LEVELS:
            pieces += [text[begin : place - (depth - MAX_LEVELS)], UNKEPT_TEXT]
            cut = True
        elif cut and depth <= MAX_LEVELS:
            begin = place - (MAX_LEVELS - depth)
            cut = False
    return text


def _mended(text: str, *, number: str, at_most: int) -> str:
    """JSON with `number` for each unusable number, and control characters escaped in strings."""
    pieces = []
    for count, found in enumerate(PIECES.finditer(text)):
        if count > 2 * at_most:  # between two faults there may be a piece without one
            raise TooManyFaults(f"has more than {at_most:,} faults")
        piece = found.group()
        if found.lastgroup == "text":
            piece = piece.translate(BLANKS if len(piece) > LONG_TEXT else CONTROLS)
        elif found.lastgroup == "word" and _is_unkept(piece):
            piece = number
        pieces.append(piece)
    return "".join(pieces)


def _is_unkept(word: str) -> bool:
    if len(word) <= LONGEST_WORD and NO_NUMBER.fullmatch(word):
        return True
    return bool(NUMBER.fullmatch(word)) and (len(word) > MAX_NUMBER or math.isinf(float(word)))


def _parts(text: str, *, array: bool) -> list[msgspec.Raw] | dict[str, msgspec.Raw] | None:
    """The elements of an array or the members of an object, valid or not; None if they cannot be separated."""
    with suppress(ValueError):  # too many faults: each part is repaired by itself, or not
        text = _mended(text, number=OUT_OF_RANGE, at_most=MAX_REPAIRS)
    whole = text.strip(" \t\r\n")
    if whole[:1] + whole[-1:] != ("[]" if array else "{}"):
        return None
    parts = _cut(whole)
    if parts is None:
        return None
    if array:
        return [_part(part) for part in parts]
    members = [MEMBER.fullmatch(part) for part in parts]
    if parts and not any(members):  # as with single quotes: none of it is JSON
        return None
    return {without_ill(_encoded(found[1]).decode()): _part(found[2]) for found in members if found}


def _cut(whole: str) -> list[str] | None:
    """The parts of an array or object whose brackets are the first and the last character."""
    parts = []
    depth, begin, place, end = 0, 1, 1, len(whole) - 1
    for _ in range(MAX_STEPS):
        found = (TO_BRACKETS if depth else TO_COMMA).match(whole, place)
        if found is None:
            return None
        place, mark = found.end(), found[1]
        if mark[0] in "[{":
            depth += len(mark)
        elif mark == ",":
            parts.append(whole[begin : place - 1])
            begin = place
        elif len(mark) <= depth:
            depth -= len(mark)
        elif place - len(mark) + depth == end:
            parts.append(whole[begin:end])
            return parts if len(parts) > 1 or parts[0].strip() else []
        else:
            return None
    return None
