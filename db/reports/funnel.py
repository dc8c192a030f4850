"""GET /funnel: how many users took some steps one after the other, and how long that took them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.events.errors import BadParameter
from db.reports.shared.filters import OPERATORS, VISITS, Filters, read_filters, split
from db.reports.shared.funnel_months import follow_parameters
from db.reports.shared.report import ComparedReport, Question, Source, compared, rows, share, source_of

#: How many steps a funnel has, and for how long a user may be followed.
FEWEST_STEPS, MOST_STEPS = 2, 8
LONGEST_WINDOW = timedelta(days=90)

#: How steps and windows are written.
STEP = (
    "an event type, or several with | between them; then, if you like, filters on path and properties, each after a ;, "
    "such as purchase, or page_view;path:is:/products/*;properties.plan:is:paid; \\; is no end of a filter"
)
WINDOW = r"^[1-9][0-9]{0,5}[mhd]$"
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class Step(msgspec.Struct, kw_only=True):
    """One step of a funnel."""

    step: Annotated[str, Meta(description="The step as it was requested.", examples=["purchase"])]
    users: Annotated[int, Meta(description="How many users came as far as this.", examples=[120])]
    from_previous: Annotated[
        float | None, Meta(description="Their share of the users of the step before; null where those are none.")
    ] = None
    from_first: Annotated[float | None, Meta(description="Their share of the users of the first step.")] = None
    median_seconds: Annotated[
        float | None,
        Meta(description="The median of the times that it took them from the step before.", examples=[37.5]),
    ] = None
    anonymous: Annotated[
        int,
        Meta(description="Events of the range that match this step and name no user, who cannot be followed."),
    ]


class Funnel(ComparedReport, kw_only=True, omit_defaults=True):
    """A row a step."""

    window: Annotated[str, Meta(description="How long after the first step the others could be.", examples=["1d"])]
    steps: list[Step]
    compare: Annotated[
        list[Step] | None, Meta(description="With `compare`: the same of the range compared with, step by step.")
    ] = None


#: A filter that a step does not take. Unescaped it is meant as one, and not as the end of a value.
OTHER_FILTER = re.compile(
    rf"(?<!\\);({'|'.join([*OPERATORS, *VISITS])}):(?:{'|'.join(OPERATORS['properties'])})(?::|$)"
)


def read_step(text: str) -> Filters:
    """What an event of this step has to match. Raises BadParameter."""
    event_type, *others = split(text, r";(?=path:|properties\.)")
    if not event_type or len(split(event_type, ";")) > 1:
        raise BadParameter("step", f"{text!r} does not begin with an event type, or goes on with what is no filter")
    if wrong := next(filter(None, map(OTHER_FILTER.search, others)), None):
        raise BadParameter("step", f"takes filters of path and properties, not of {wrong[1]}; \\; is a ; of a value")
    try:
        return read_filters([f"event_type:is:{event_type}", *others])
    except BadParameter as error:  # of no `filter`
        raise BadParameter("step", error.reason) from None


def read_window(text: str) -> timedelta:
    """How long that is; `text` matches WINDOW. Raises BadParameter."""
    number, unit = int(text[:-1]), UNITS[text[-1]]
    if number > LONGEST_WINDOW / unit:
        raise BadParameter("window", f"{text!r} is too long")
    return number * unit


async def funnel(conn: AsyncConnection, question: Question, *, steps: Sequence[str], window: str) -> Funnel:
    """A row a step. Raises BadParameter.

    A user is in a step if they have an event that matches it later than one that matches the step before, and so on
    back to the first step, which is in the range, and all of them within the window: the first and the last event of
    them are no further apart than that, and any first step will do. Events with equal times are not ordered.

    A step's duration runs from the user's last event in the step before to the event with which they first are in this
    step.
    """
    filters, length = [read_step(step) for step in steps], read_window(window)
    source, found = await _steps(conn, question, steps, filters, length)
    other = await compared(conn, question)
    before = (await _steps(conn, other, steps, filters, length))[1] if other else None
    return Funnel(**question.head(source, other), window=window, steps=found, compare=before)


async def _steps(
    conn: AsyncConnection, question: Question, steps: Sequence[str], filters: Sequence[Filters], window: timedelta
) -> tuple[Source, list[Step]]:
    microseconds = window // timedelta(microseconds=1)
    of_types = [one.conditions["event_type_is"] for one in filters if one.needs == {"event_type"}]
    query, parameters = "funnel_from_rollup", None
    if len(of_types) == len(steps):
        parameters = await follow_parameters(conn, question, of_types, window=microseconds)
    if parameters is None:
        query, parameters = "funnel_from_events", await _event_parameters(conn, question, filters, microseconds)
    found = await rows(conn, question, query, **parameters)
    users = [row["users"] for row in found]
    return source_of(query), [
        Step(
            step=step,
            users=row["users"],
            from_previous=share(row["users"], before) if before is not None else None,
            from_first=share(row["users"], users[0]),
            median_seconds=row["median_seconds"],
            anonymous=row["anonymous"],
        )
        for step, row, before in zip(steps, found, [None, *users], strict=False)
    ]


async def _event_parameters(
    conn: AsyncConnection, question: Question, steps: Sequence[Filters], window: int
) -> dict[str, Any]:
    parameters = {
        "window": window,
        "steps": msgspec.json.encode([one.conditions for one in steps]).decode(),
        "event_types": list({name for one in steps for name in one.conditions["event_type_is"]}),
        "by_visitor": "visitor_id" in question.filters.needs,
        "by_properties": any("properties" in one.needs for one in (question.filters, *steps)),
        "kinds": _kinds(steps),
        "kinds_after": _kinds(steps, first=False),
        "besides": [bytes(kind for kind in range(256) if not kind >> place & 1) for place in range(len(steps))],
    }
    (shares,) = await rows(conn, question, "funnel_shares", **parameters)
    return parameters | shares


def _kinds(steps: Sequence[Filters], *, first: bool = True) -> str | None:
    """JSON of which steps an event of each type is, a bit each; None where steps are about more than types."""
    if any(step.needs != {"event_type"} for step in steps):
        return None
    kinds: dict[str, int] = {}
    for number, step in enumerate(steps):
        for name in step.conditions["event_type_is"]:
            kinds[name] = kinds.get(name, 0) | (1 << number if number or first else 0)
    return msgspec.json.encode({name: f"{kind:02x}" for name, kind in kinds.items()}).decode()
