"""What a query needs to know that follows users by user_months instead of by their events."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from psycopg import AsyncConnection

from db.reports.shared.report import Question, rows

#: The bytes that can stand for an event type: not those that mean something in a pattern of SQL's `like`.
NUMBERS = frozenset(range(1, 256)) - frozenset(rb"%_\\")
#: Shorter ranges are faster from the events, as months have to be read whole.
SHORTEST = timedelta(days=3)


async def follow_parameters(
    conn: AsyncConnection, question: Question, steps: Sequence[Sequence[str]], *, window: int
) -> dict[str, Any] | None:
    """The parameters of funnel_from_rollup, each step any of some event types; None if the events are faster.

    `window`: in microseconds.
    """
    covered = question.range
    if question.filters.conditions or not covered.hours_fit or covered.end - covered.start < SHORTEST:
        return None
    event_types = sorted({name for names in steps for name in names})
    months = next(iter(await rows(conn, question, "funnel_months", window=window)), None)
    numbers = months and _numbered(months.pop("numbers"), event_types)
    if not months or not numbers:
        return None
    of_steps = [{numbers[name] for name in names} for names in steps]
    # What comes first is looked at first, and there is most of the first step.
    in_order = sorted(numbers.values(), key=lambda number: number not in of_steps[0])
    return {
        "window": window,
        **months,
        "event_types": event_types,
        "numbers": [numbers[name] for name in event_types],
        "step_types": msgspec.json.encode(steps).decode(),
        "besides": [bytes(number for number in in_order if number not in one) for one in of_steps],
        "firsts": [b"%%%c%%" % number for number in of_steps[0]],
        "reaches": [_pattern(of_steps[: place + 1]) for place in range(1, len(steps))],
        "opening": _opening(*of_steps[:2]),
    }


def _numbered(numbers: dict[str, int], event_types: Sequence[str]) -> dict[str, int] | None:
    """The bytes of a site's event types and of these; None where one has none that user_months may have events of."""
    unknown = [name for name in event_types if name not in numbers]
    free = sorted(NUMBERS.difference(numbers.values()))
    return numbers | dict(zip(unknown, free, strict=False)) if len(unknown) <= len(free) else None


def _pattern(steps: Sequence[set[int]]) -> bytes:
    """A pattern of `like` that all kinds match which have a byte of each of these sets, in this order."""
    return b"%" + b"".join(b"%c%%" % number for one in steps if len(one) == 1 for number in one)


def _opening(first: set[int], second: set[int]) -> bytes | None:
    """The bytes of the first two steps, where they are one each and not the same."""
    return bytes([*first, *second]) if len(first) == len(second) == 1 and first != second else None
