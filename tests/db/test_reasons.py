"""Reasons are in plain words, whatever type refuses the value."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta

from db.events.reasons import sentence

A_DAY = "should be a day such as 2026-01-31"
A_TIME = "should be a time with an offset such as 2026-01-31T12:00:00Z"
Time = Annotated[datetime, Meta(tz=True)]


class Inner(msgspec.Struct):
    when: date | None = None


class Outer(msgspec.Struct):
    name: Annotated[str, Meta(min_length=1)]
    inner: Inner | None = None


def reason(kind: Any, value: Any, *, as_text: bool) -> str:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(value, kind, strict=not as_text)
    return sentence(refused.value, kind if as_text else None)


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (date, "02.01.2026", A_DAY),
        (date | None, "2026-02-30", A_DAY),
        (Time, "yesterday", A_TIME),
        (Time | None, "2026-01-31T12:00:00", A_TIME),
        (int, "many", "should be a whole number"),
        (int | None, "1.5", "should be a whole number"),
        (Annotated[int, Meta(ge=1, le=5)], "x", "should be a whole number"),
        (Annotated[int, Meta(ge=1, le=5)], "0", "should be at least 1"),
        (Annotated[int, Meta(ge=1, le=5)], "6", "should be at most 5"),
        (float, "much", "should be a number"),
        (Annotated[float, Meta(gt=0)], "0", "should be more than 0.0"),
        (bool, "yes", "should be true or false"),
        (UUID, "17", "should be a UUID"),
        (Decimal, "x", "should be a number"),
        (Literal["day", "week"], "days", "'days' is not one of day, week"),
        (Literal["day", "week"] | None, "d" * 99, f"'{'d' * 39}...' is not one of day, week"),
        (Annotated[str, Meta(max_length=3000)], "x" * 3001, "should have at most 3,000 characters"),
        (Annotated[str, Meta(min_length=1)], "", "should have at least 1 character"),
        (Annotated[str, Meta(pattern="^a$")], "b", "has another form than it should"),
    ],
    ids=str,
)
def test_a_parameter(kind: Any, text: str, told: str) -> None:
    assert reason(kind, text, as_text=True) == told


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (str, None, "should be text, not null"),
        (str | None, 5, "should be text or null, not a whole number"),
        (int | str | None, 1.5, "should be a whole number, text or null, not a fraction"),
        (int, True, "should be a whole number, not a boolean"),
        (dict[str, Any], [], "should be an object, not a list"),
        (Literal["a"], "b", "'b' is not one of the allowed values"),
        (Annotated[list[int], Meta(max_length=1)], [1, 2], "should have at most 1 value"),
        (Outer, {}, "name is missing"),
        (Outer, {"name": ""}, "should have at least 1 character - at `$.name`"),
        (Outer, {"name": "a", "inner": {"when": "x"}}, f"{A_DAY} - at `$.inner.when`"),
        (Outer, {"name": "a", "inner": 5}, "should be an object or null, not a whole number - at `$.inner`"),
    ],
    ids=str,
)
def test_a_part_of_a_body(kind: Any, value: Any, told: str) -> None:
    assert reason(kind, value, as_text=False) == told
