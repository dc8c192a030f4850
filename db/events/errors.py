"""What is wrong with a refused event: every bad field, why, and what is allowed.

Only refused events come here, so it may take its time: it decodes the event again, field by field.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from db.events.event import MAX_BYTES, Event, TimeWindow, event_time, properties_fault, text_fault
from db.events.tolerant_json import UNREADABLE, take_apart

FIELDS = msgspec.structs.fields(Event)


def description(kind: Any) -> str:
    """The text on a field's type, which is the one place where its limits are put in words."""
    schema = msgspec.json.schema(kind)
    return str(next(part["description"] for part in (schema, *schema.get("anyOf", ())) if "description" in part))


ALLOWED = {field.name: description(field.type) for field in FIELDS}


class FieldError(msgspec.Struct, kw_only=True):
    """One field that was refused."""

    field: Annotated[str, Meta(description="The field's name; empty for the event as a whole.", examples=["path"])]
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


def field_errors(raw: bytes | msgspec.Raw, *, now: datetime, window: TimeWindow) -> list[FieldError]:
    """Every field of a refused event that is wrong: which, why, and what is allowed."""
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
    """One field's value, or ValueError with what is wrong with it."""
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


def sentence(error: Exception) -> str:
    """What an error of msgspec or of ours says, without the place where it was found."""
    if isinstance(error, RecursionError):
        return "is nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return "holds what is not UTF-8, or half of a surrogate pair"
    return str(error).replace(" - at `$`", "")
