"""The filters of a report: from `dimension:operator:value` to what the function event_matches takes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from db.events.errors import BadParameter
from db.reports.shared.number_texts import matching

#: The operators, by dimension. A value may be several, with | between them: any of them. A backslash takes its meaning
#: from a |, a *, a ; (in the steps of funnels) and a backslash that follows; before anything else it is one itself.
OPERATORS = {
    "event_type": ("is", "is_not"),
    "path": ("is", "is_not", "contains", "contains_not"),
    "user_id": ("is", "is_not"),
    "visitor_id": ("is", "is_not"),
    "properties": ("is", "is_not", "contains", "contains_not", "gt", "gte", "lt", "lte", "exists", "missing"),
}
#: The same of the dimensions of visits: a filter on one keeps whole visits.
TEXTS = ("is", "is_not", "contains", "contains_not", "exists", "missing")
PATHS = ("is", "is_not", "contains", "contains_not")
VISITS = {
    **dict.fromkeys(("source", "medium", "campaign", "term", "content", "referrer", "channel"), TEXTS),
    **dict.fromkeys(("country", "device", "browser", "os", "language"), TEXTS),
    **dict.fromkeys(("landing", "exit"), PATHS),
    "new": ("is",),
}
PROPERTY = re.compile(r"properties\.(.{1,200})", re.DOTALL)
#: A number as SQL's path language writes it: 007 is none.
NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d{1,18})?", re.ASCII)
ESCAPED = re.compile(r"\\([|*;\\])")
COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
ALLOWED = (
    "dimension:operator:value, such as event_type:is:click|tap, path:is:/products/*, path:contains_not:admin, "
    "user_id:is_not:bot, visitor_id:is:f0b3a1c2, properties.currency:is:EUR, properties.revenue:gte:100, "
    "properties.coupon:exists. null is missing. "
    r"\|, \*, \; and \\ are those characters themselves, as in path:is:/a\|b. Operators: "
    + "; ".join(f"{dimension}: {', '.join(operators)}" for dimension, operators in OPERATORS.items())
)
ALLOWED_OF_VISITS = (
    "In `/breakdown` by a dimension of visits, and in `/timeseries`, also dimensions of visits, which keep whole "
    "visits: source:is:google, device:is_not:mobile, landing:is:/sale/*, campaign:exists, new:is:true; "
    + "; ".join(
        f"{', '.join(names)}: {', '.join(operators)}"
        for operators in (TEXTS, PATHS, ("is",))
        if (names := [name for name, own in VISITS.items() if own == operators])
    )
)

VIEW = "page_view"


class Filters(msgspec.Struct, frozen=True):
    """What an event has to match, as event_matches takes it."""

    conditions: Mapping[str, Any]
    properties: frozenset[str] = frozenset()
    """The names of the properties in them."""
    visits: Mapping[str, Mapping[str, Any]] = {}
    """What their visit has to match, by dimension, as text_matches takes it."""

    @property
    def needs(self) -> frozenset[str]:
        """The dimensions that have to be known."""
        names = ("event_type", "path", "user_id", "visitor_id", "properties")
        return frozenset(name for name in names for key in self.conditions if key.startswith(name))

    def parameter(self) -> str | None:
        """The same as JSON; None where everything matches."""
        return msgspec.json.encode(self.conditions).decode() if self.conditions else None

    def check_of_events(self) -> None:
        """Raise BadParameter if any of them is of visits."""
        for name in self.visits:
            raise BadParameter(
                "filter",
                f"{name} is of visits, and this question is of events",
                "filters of events; or /breakdown by a dimension of visits, or /timeseries of visits",
            )

    def visit_parameter(self) -> str | None:
        """What visits have to match as JSON; None where everything matches."""
        return msgspec.json.encode(self.visits).decode() if self.visits else None

    @property
    def users(self) -> list[str] | None:
        """The only users whose events match, whom an index can find; None where it may be anybody."""
        return self.conditions.get("user_id_is")

    def only(self, event_type: str) -> "Filters":
        """These filters, for events of one type only."""
        requested = self.conditions.get("event_type_is", [event_type])
        return Filters({**self.conditions, "event_type_is": [event_type] if event_type in requested else []})


def read_filters(texts: Iterable[str]) -> Filters:
    """All of these filters, which an event has to match. Raises BadParameter."""
    conditions: dict[str, Any] = {}
    predicates = []
    properties = set()
    visits: dict[str, dict[str, Any]] = {}
    for text in texts:
        dimension, operator, value = _parts(text)
        if match := PROPERTY.fullmatch(dimension):
            properties.add(match.group(1))
            predicates.append(_predicate(match.group(1), operator, value))
            continue
        key = f"{dimension}_{operator}"
        name, condition = _of_visit(dimension, operator, value) if dimension in VISITS else ("", None)
        if key in conditions or name in visits.get(dimension, ()):
            raise BadParameter(
                "filter", f"{dimension}:{operator} is given twice; several values go into one, with | between them"
            )
        if name:
            visits.setdefault(dimension, {})[name] = condition
            continue
        values = _alternatives(value)
        conditions[key] = _expression(operator, values) if dimension == "path" else list(map(_plain, values))
    if predicates:
        conditions["properties"] = " && ".join(predicates)
    return Filters(conditions, frozenset(properties), visits)


def _of_visit(dimension: str, operator: str, value: str) -> tuple[str, Any]:
    """A condition on visits, by its name, as text_matches takes it."""
    if operator in ("exists", "missing"):
        return operator, True
    values = _alternatives(value)
    if dimension == "new" and value not in ("true", "false"):
        raise BadParameter("filter", f"should say whether visits are new: true or false, not {value!r}")
    if operator.startswith("contains"):
        return operator, _expression(operator, values)
    if VISITS[dimension] is PATHS:
        return operator.replace("is", "matches"), _expression(operator, values)
    return operator, list(map(_plain, values))


def _parts(text: str) -> tuple[str, str, str]:
    dimension, _, rest = text.partition(":")
    operator, colon, value = rest.partition(":")
    if PROPERTY.fullmatch(dimension):
        operators = OPERATORS["properties"]
    elif dimension in OPERATORS and dimension != "properties":
        operators = OPERATORS[dimension]
    elif dimension in VISITS:
        operators = VISITS[dimension]
    else:
        raise BadParameter("filter", f"has the unknown dimension {dimension!r}")
    if operator not in operators:
        raise BadParameter("filter", f"has the unknown operator {operator!r} for {dimension}")
    if operator in ("exists", "missing"):
        if colon:
            raise BadParameter("filter", f"{operator} takes no value")
    elif not value:
        raise BadParameter("filter", "has no value")
    return dimension, operator, value


def split(text: str, separator: str) -> list[str]:
    """The parts of a text between separators, of which an escaped one is none. The parts are still escaped."""
    parts = re.sub(rf"{ESCAPED.pattern}|{separator}", lambda found: found[0] if found[1] else "\0", text)
    return parts.split("\0")  # which no parameter has


def _alternatives(value: str) -> list[str]:
    return split(value, r"\|")


def _plain(value: str) -> str:
    """What a value means that may have escaped characters."""
    return ESCAPED.sub(r"\1", value)


def _expression(operator: str, values: Iterable[str]) -> str:
    """A regular expression of PostgreSQL's: any of these paths, of which one ending in * means all that begin so."""
    if operator.startswith("contains"):
        return "|".join(_escaped(_plain(value)) for value in values)
    return "|".join(
        f"^{_escaped(_plain(value[:-1]))}" if split(value, r"\*\Z")[1:] else f"^{_escaped(_plain(value))}$"
        for value in values
    )


def any_case(text: str) -> str:
    """A regular expression of PostgreSQL's: this text in small or large letters, in any collation."""
    return "".join(f"(?:{'|'.join(map(_escaped, sorted({one, one.lower(), one.upper()})))})" for one in text)


def _escaped(text: str) -> str:
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def _predicate(name: str, operator: str, value: str) -> str:
    """A condition on properties in SQL's path language (https://www.postgresql.org/docs/current/functions-json.html)."""
    place = "$" + "".join(f".{_quoted(part)}" for part in name.split("."))
    if operator in ("exists", "missing"):
        # null is no value, as in a breakdown. type() looks at an array as a whole, unlike a comparison with null.
        has_value = f'({place}.type() != "null")'
        return has_value if operator == "exists" else f"!{has_value}"
    if operator in COMPARED:
        compared, number = COMPARED[operator], _number(value)
        return f"({place} {compared} {number} || {place} like_regex {_quoted(matching(compared, number))})"
    if operator.startswith("contains"):
        found = " || ".join(
            f'{place} like_regex {_quoted(part)} flag "q"' for part in map(_plain, _alternatives(value))
        )
    else:
        found = " || ".join(f"{place} == {literal}" for part in _alternatives(value) for literal in _literals(part))
    # Values of different types cannot be compared, which is neither true nor false; a value of another type is another.
    return f"(!({found}) || ({found}) is unknown)" if operator.endswith("_not") else f"({found})"


def _literals(value: str) -> list[str]:
    """The JSON values that a text may mean."""
    literals = [_quoted(_plain(value))]
    if value in ("true", "false", "null") or NUMBER.fullmatch(value):
        literals.append(value)
    return literals


def _number(value: str) -> str:
    if not NUMBER.fullmatch(value):
        raise BadParameter("filter", f"should compare with a number, not {value!r}")
    return value


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
