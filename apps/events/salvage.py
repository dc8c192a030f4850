"""Salvage imperfect events: keep the parts that can be stored, and name the parts that were ignored."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from apps.events.given import is_given
from db.events.event import Event
from db.events.fitting import fit_properties, fit_user_id
from db.events.known import KNOWN, fit_known
from db.events.not_utf8 import holds_ill, is_utf8, without_ill
from db.events.numbers import decoder
from db.events.tolerant_json import UNKEPT, UNREADABLE, TooManyFaults, mended, take_apart

#: Limits of a list of ignored names: names per event, and characters per name.
MAX_NAMES, MAX_NAME = 20, 100

FIELDS = {field.name for field in msgspec.structs.fields(Event)}
IDS = ("user_id", "visitor_id")
#: Fields that never cost the event, whatever is in them.
OPTIONAL = {*IDS, *KNOWN, "properties"}
decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
encode = msgspec.json.Encoder().encode
decode_object: Callable[[bytes | msgspec.Raw], dict[str, Any]] = decoder(dict[str, Any]).decode
decode_value = decoder().decode


#: A time with more digits than microseconds have, which msgspec would round, up to the next day.
LONG_TIME = re.compile(rb"\.(?<=\d:\d\d\.)\d{7}")
DIGITS = re.compile(rb"(\.\d{6})\d+")


class Mended(NamedTuple):
    """The storable fields of an event, not validated yet, and the names of the ignored ones."""

    fields: dict[str, Any]
    ignored: list[str]


def unknown_fields(raw: bytes | msgspec.Raw) -> list[str]:
    """The members of a JSON object that are not fields of an event. Raises ValueError and RecursionError."""
    return _shortened(name for name in decode_members(raw) if name not in FIELDS)


def with_cut_time(raw: bytes | msgspec.Raw) -> bytes | msgspec.Raw:
    """The event with at most six digits of a second in its timestamp; unchanged if it cannot be read."""
    with suppress(*UNREADABLE):
        members = decode_members(raw)
        if time := members.get("timestamp"):
            return encode(members | {"timestamp": msgspec.Raw(DIGITS.sub(rb"\1", bytes(time)))})
    return raw


def mend(raw: bytes | msgspec.Raw) -> Mended:
    """Make an event storable: replace half surrogate pairs and what is not UTF-8, leave out ids of people and
    properties that are of the wrong type, too long or too deep, fit the other properties to their limits.

    Raises ValueError and RecursionError if it is not a JSON object.
    """
    given = _members(raw)
    fields = {name: value for name, value in given.items() if name in FIELDS}
    ignored = [name for name in given if name not in FIELDS]
    if not is_utf8(raw):
        ignored += _ill(fields)
    for name in IDS:
        if fields.get(name) is not None:
            fields[name], kept = fit_user_id(fields[name])
            if not kept:
                ignored.append(name)
    # JavaScript's clocks have fractions of a millisecond. Another time that is none is refused: an event must not get
    # one that is not its own.
    if isinstance(timestamp := fields.get("timestamp"), float) and timestamp != UNKEPT:
        fields["timestamp"] = int(timestamp)
    if not is_given(fields.get("event_id")) and isinstance(fields.get("event_id"), str):
        del fields["event_id"]
    for name in KNOWN:
        if fields.get(name) is not None:
            fields[name], unkept = fit_known(name, fields[name])
            ignored += unkept
    properties = fields.pop("properties", None)
    if isinstance(properties, dict):
        fields["properties"], changed = fit_properties(properties)
        ignored += [f"properties.{name}" for name in changed]
    elif properties is not None and properties != []:  # PHP's empty array is a list
        ignored.append("properties")
    return Mended(fields, _shortened(dict.fromkeys(ignored)))


def _ill(fields: dict[str, Any]) -> list[str]:
    """Put U+FFFD for what is not UTF-8 and leave out such an id of a person, as several would become one; the names."""
    ill = [name for name in fields if name != "properties" and holds_ill(fields[name])]
    if isinstance(properties := fields.get("properties"), dict):
        of_properties = {name: one for name, one in properties.items() if holds_ill(name) or holds_ill(one)}
        ill += [f"properties.{without_ill(name)}" for name in of_properties]
    for name in IDS:
        if name in ill:
            del fields[name]
    fields |= without_ill(fields)
    return ill


def _members(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    try:
        return decode_object(raw)
    except UNREADABLE:
        pass
    try:
        return decode_object(mended(raw))
    except UNREADABLE:  # only the fields of an event have to be readable
        parts = take_apart(raw, dict[str, msgspec.Raw])
        return {name: _field(name, part) for name, part in parts.items()}


def _field(name: str, part: msgspec.Raw) -> Any:
    if name not in FIELDS:
        return None
    try:
        return decode_value(mended(part))
    except TooManyFaults:
        if name in OPTIONAL:
            return UNKEPT  # no value of these
        raise


def _shortened(names: Iterable[str]) -> list[str]:
    return [name[:MAX_NAME] for name in islice(names, MAX_NAMES)]
