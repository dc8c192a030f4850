"""Comparing a text with a number where only SQL's path language can look: as a regular expression that texts of such
numbers match. Exact for any number of digits, and it costs nothing where the value is a number."""

from collections.abc import Iterator

#: A text that exact_number reads as a number.
READ = "(?= *[+-]?[0-9]{1,15}([.][0-9]{1,30})? *$)"
ANY = "[0-9]+([.][0-9]+)?"
#: What is left of a comparison when both sides change their sign.
MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


def matching(operator: str, number: str) -> str:
    """The regular expression of texts that exact_number reads as numbers for which `text operator number` is true.

    operator: >, >=, < or <=; number: digits, perhaps with a minus and with a point between them.
    """
    opposite = number[1:] if number.startswith("-") else f"-{number}"
    plus, minus = _sizes(operator, number), _sizes(MIRRORED[operator], opposite)
    signed = [f"[+]?({plus})"] * bool(plus) + [f"-({minus})"] * bool(minus)
    return f"^{READ} *({'|'.join(signed)}) *$"


def _sizes(operator: str, number: str) -> str:
    """The numbers without a sign that compare so with one that may have a minus; empty where none does."""
    negative = number.startswith("-")
    whole, _, fraction = number.removeprefix("-").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if negative and (whole or fraction):
        return ANY if operator.startswith(">") else ""
    found = list(_greater(whole, fraction) if operator.startswith(">") else _less(whole, fraction))
    if operator.endswith("="):
        found.append(_whole(whole) + (f"[.]{fraction}0*" if fraction else "([.]0+)?"))
    return "|".join(found)


def _greater(whole: str, fraction: str) -> Iterator[str]:
    yield f"0*[1-9][0-9]{{{len(whole)},}}([.][0-9]+)?"
    for place, digit in enumerate(whole):
        if digit < "9":
            yield f"0*{whole[:place]}[{int(digit) + 1}-9][0-9]{{{len(whole) - place - 1}}}([.][0-9]+)?"
    for place, digit in enumerate(fraction):
        if digit < "9":
            yield f"{_whole(whole)}[.]{fraction[:place]}[{int(digit) + 1}-9][0-9]*"
    yield f"{_whole(whole)}[.]{fraction}0*[1-9][0-9]*"


def _less(whole: str, fraction: str) -> Iterator[str]:
    if len(whole) > 1:
        yield f"0*[0-9]{{1,{len(whole) - 1}}}([.][0-9]+)?"
    for place, digit in enumerate(whole):
        if digit > "0":
            yield f"0*{whole[:place]}[0-{int(digit) - 1}][0-9]{{{len(whole) - place - 1}}}([.][0-9]+)?"
    if fraction:
        yield _whole(whole)
    for place, digit in enumerate(fraction):
        if place:
            yield f"{_whole(whole)}[.]{fraction[:place]}"
        if digit > "0":
            yield f"{_whole(whole)}[.]{fraction[:place]}[0-{int(digit) - 1}][0-9]*"


def _whole(digits: str) -> str:
    """These digits, after any zeros."""
    return f"0*{digits}" if digits else "0+"
