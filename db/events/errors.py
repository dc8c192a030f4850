"""Describes a refused event: every invalid field, why, and what is allowed.

It may be slow, as only refused events come here: it decodes the event again, field by field.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from db.events.event import Event, TimeWindow, event_time
from db.events.limits import MAX_BYTES, properties_fault, text_fault
from db.events.reasons import sentence
from db.events.tolerant_json import UNREADABLE, take_apart

FIELDS = msgspec.structs.fields(Event)


def description(kind: Any) -> str:
    """The description on a field's type, the only place that states its limits in words."""
    schema = msgspec.json.schema(kind)
    return str(next(part["description"] for part in (schema, *schema.get("anyOf", ())) if "description" in part))


ALLOWED = {field.name: description(field.type) for field in FIELDS}


class FieldError(msgspec.Struct, kw_only=True):
    """An invalid field."""

    field: Annotated[str, Meta(description="The field's name; empty for the whole event.", examples=["path"])]
    reason: Annotated[str, Meta(description="What is wrong with it.", examples=["is missing"])]
    allowed: Annotated[str, Meta(description="What it should be.", examples=["text of 1 to 2,048 bytes (UTF-8)"])]


class BadParameter(Exception):
    """A query parameter is wrong in a way that its type does not say: its name, why, and what is allowed."""

    detail = "a parameter is not valid"

    def __init__(self, name: str, reason: str, allowed: str | None = None) -> None:
        super().__init__(f"{name} {reason}")
        self.name = name
        self.reason = reason
        #: None: what the text on the parameter's type says.
        self.allowed = allowed


#: Where msgspec names the field of an error, and the position that follows its text.
NAMED = re.compile(r"(?:required|unknown) field `([^`]*)`| - at `\$\.(\w+)")
POSITION = re.compile(r" - at `[^`]*`")


def struct_error(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> FieldError:
    """What is wrong with an object that should be this Struct: the field, why, and what is allowed."""
    names = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    found = NAMED.search(str(error))
    name = found[found.lastindex or 0] if found else ""
    if field := names.get(name):
        missing = str(error).startswith("Object missing required field")
        reason = "is missing" if missing else POSITION.sub("", sentence(error))
        return FieldError(field=name, reason=reason, allowed=description(field.type))
    if name:
        return FieldError(field=name, reason="is unknown", allowed=f"one of {', '.join(names)}")
    return FieldError(field="", reason=POSITION.sub("", sentence(error)), allowed=f"an object with {', '.join(names)}")


def field_errors(raw: bytes | msgspec.Raw, *, now: datetime, window: TimeWindow) -> list[FieldError]:
    """All invalid fields of a refused event: which, why, and what is allowed."""
    try:
        given = take_apart(raw, dict[str, msgspec.Raw])
    except UNREADABLE as error:
        return [FieldError(field="", reason=sentence(error), allowed="a JSON object with the fields of an event")]
    errors = []
    values: dict[str, Any] = {}
    for field in FIELDS:
        try:
            values[field.name] = _value(field, given)
        except UNREADABLE as error:
            errors.append(FieldError(field=field.name, reason=sentence(error), allowed=ALLOWED[field.name]))
    timestamp, event_id = values.get("timestamp"), values.get("event_id")
    if timestamp is not None or ("timestamp" in values and event_id is not None):
        errors += _time_errors(timestamp, event_id, now, window)
    return errors


def _value(field: msgspec.structs.FieldInfo, given: dict[str, msgspec.Raw]) -> Any:
    """One field's value. Raises ValueError if it is invalid."""
    if field.name not in given:
        if field.required:
            raise ValueError("is missing")
        return None
    value = msgspec.json.decode(given[field.name], type=field.type)
    fault = None
    if field.name in MAX_BYTES and isinstance(value, str):
        fault = text_fault(field.name, value)
    elif field.name == "properties" and value is not None:
        fault = properties_fault(value)
    if fault:
        raise ValueError(fault)
    return value


def _time_errors(
    timestamp: datetime | int | None, event_id: UUID | None, now: datetime, window: TimeWindow
) -> Iterator[FieldError]:
    allowed = (
        f"from {window.earliest(now).isoformat()} to {window.ahead / timedelta(hours=1):g} h after its arrival; "
        "without timestamp, event_id must be a UUIDv7 of such a time or be left out"
    )
    try:
        time = event_time(timestamp, event_id)
    except ValueError as error:
        name, _, reason = str(error).partition(" ")
        yield FieldError(field=name, reason=reason, allowed=allowed)
        return
    if fault := window.fault(time, now):
        yield FieldError(field="event_id" if timestamp is None else "timestamp", reason=fault, allowed=allowed)
